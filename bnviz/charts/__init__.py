"""Charts as data: skeletons built here, drawn by the live panel in the browser. Imports neither torch nor streamlit."""
