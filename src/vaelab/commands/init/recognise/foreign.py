"""Files that no source reads, by their endings, and what makes of them images that one does."""

from collections import Counter
from pathlib import Path

from vaelab.commands.init.copying import files_of

SLICES = """\
Save the slices of each volume x, in Python, by {library}:
  np.save(f"slices/P{{patient:03}}/{{k:03}}.npy", x[..., k]), and `vaelab init --data slices`; patients stay whole,"""
FRAMES = "Save the frames that matter: ffmpeg -i a.mp4 -vf fps=1 frames/a/%05d.jpg, a folder for each recording,"
CONVERT = "Save them as .png or .tif,"
MEND = {
    **dict.fromkeys((".nii", ".nii.gz", ".img"), SLICES.format(library="nibabel.load(file).get_fdata()")),
    **dict.fromkeys((".mha", ".mhd", ".nrrd"), SLICES.format(library="SimpleITK.ReadImage, GetArrayFromImage")),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"), FRAMES),
    **dict.fromkeys((".rar", ".7z", ".zst", ".bz2", ".xz"), "Unpack it, and `vaelab init --data` the folder,"),
    **dict.fromkeys((".tfrecord", ".tfrecords"), "Save the images that they hold as files, in folders by class,"),
    **dict.fromkeys((".mdb", ".lmdb"), "Save the images that the database holds as files, in folders by class,"),
    **dict.fromkeys(
        (".svs", ".ndpi", ".mrxs", ".scn"), "Cut the slides into tiles, as .png in a folder for each slide,"
    ),
    **dict.fromkeys((".czi", ".lif", ".nd2", ".lsm", ".oib"), "Export them as .tif, one channel or three in a file,"),
    **dict.fromkeys((".exr", ".hdr", ".psd", ".svg", ".eps", ".djvu", ".jxl", ".xcf"), CONVERT),
    **dict.fromkeys((".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".rw2", ".orf"), "Develop them to .jpg or .tif,"),
    **dict.fromkeys(
        (".fits", ".fit", ".fz"), 'Save them, in Python: np.save("a.npy", astropy.io.fits.getdata("a.fits")),'
    ),
}


def mend_of(path: Path) -> str:
    """Return what makes images of the files at a path, by the most frequent of such endings; empty for others."""
    files = [path] if path.is_file() else [*files_of(path)]
    found = Counter(ending for file in files if (ending := ending_of(file)) in MEND)
    return MEND[found.most_common(1)[0][0]] if found else ""


def ending_of(file: Path) -> str:
    """Return the ending of a file, of what is compressed both: .nii.gz."""
    last = file.suffix.lower()
    return f"{Path(file.stem).suffix.lower()}{last}" if last == ".gz" else last
