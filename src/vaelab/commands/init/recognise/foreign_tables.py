"""Files of other programs, which are not read: what turns each into a table that is."""

import sqlite3
import zipfile
from contextlib import closing, suppress
from pathlib import Path

from vaelab.commands.init.recognise.found import not_understood
from vaelab.commands.init.recognise.no_tags import ENTRY
from vaelab.data.sources.listing import printable
from vaelab.errors import InputError

READERS = {  # of pandas, by ending
    ".xls": "read_excel",
    ".xlsb": "read_excel",
    ".ods": "read_excel",
    ".feather": "read_feather",
    ".orc": "read_orc",
    ".dta": "read_stata",
    ".sav": "read_spss",
    ".sas7bdat": "read_sas",
    ".xpt": "read_sas",
    ".xml": "read_xml",
    ".html": "read_html",
}
DATABASES = (".db", ".sqlite", ".sqlite3", ".db3")
IN_R = (".rds", ".rda", ".rdata")
PICKLES = (".pkl", ".pickle", ".p")
TABLES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".txt", ".arff", ".xlsx")
THEN = ", then `vaelab init DIR --data table.csv`,"
SHOWN = 8


def refuse(path: Path) -> None:
    """Raise the one message for a file of another program; nothing where none is known.

    Raises:
        InputError: what the file is, and what turns it into a table.
    """
    if not path.is_file():  # a pipe would hang
        return
    ending = path.suffix.lower()
    with path.open("rb") as file:
        start = file.read(100).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        raise _told(path, "a pointer of Git LFS in place of the file", "Fetch it: git lfs pull,")
    if start.startswith((b"<!doctype html", b"<html")) and ending not in READERS:
        raise _told(path, "a web page, such as one that asks to sign in, in place of the file", "Download it again,")
    if ending in DATABASES:
        raise _database(path)
    if ending == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if Path(name).suffix.lower() in TABLES]
        if names:
            mend = f"Unpack it: unzip {path.name} -d unpacked, then `vaelab init DIR --data unpacked`,"
            raise _told(path, f"an archive of tables: {', '.join(map(printable, names[:SHOWN]))}", mend)
    if ending in IN_R:
        load = "readRDS" if ending == ".rds" else "get(load"
        mend = f'In R: write.csv({load}("{path.name}"){")" * (ending != ".rds")}, "table.csv", row.names=FALSE){THEN}'
        raise _told(path, "a file of R, which is not read", mend)
    if ending in PICKLES:
        mend = f'If you trust it, in Python: pandas.read_pickle("{path.name}").to_csv("table.csv"){THEN}'
        raise _told(path, "a Python pickle, which can run any program when it is loaded and is never opened", mend)
    if ending in READERS:
        reader = f'pandas.{READERS[ending]}("{path.name}"){"[0]" * (ending == ".html")}'
        mend = f'Save it as .csv, in Python: {reader}.to_csv("table.csv", index=False){THEN}'
        raise _told(path, f"a {ending} file, which is not read", mend)


def _database(path: Path) -> InputError:
    names: list[str] = []
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
        names = [row[0] for row in base.execute("select name from sqlite_master where type = 'table'")]
    if not names:
        return _told(path, "no SQLite database, by its content, or one without tables", "Save its table as .csv,")
    query = f'"select * from {names[0]}", sqlite3.connect("{path.name}")'
    mend = f'Save one, in Python: pandas.read_sql({query}).to_csv("table.csv", index=False){THEN}'
    return _told(path, f"a database with the tables {', '.join(map(printable, names[:SHOWN]))}", mend)


def _told(path: Path, what: str, mend: str) -> InputError:
    return not_understood(path, what, mend, ENTRY, "tags")
