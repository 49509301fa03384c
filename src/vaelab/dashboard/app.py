"""What Streamlit runs: the frame of all pages."""

from vaelab.dashboard.frame import show_all

show_all()
