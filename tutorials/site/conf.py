"""What Sphinx is to do: pages.py gathers what it reads, docstrings.py, figures.py and mathematics.py help it to."""

from typing import Any

import npbilstm
from tutorials.site import docstrings, figures, mathematics

project = "npbilstm"
author = "the npbilstm authors"
release = npbilstm.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
html_theme = "furo"
html_title = "npbilstm"
html_static_path = ["static"]
html_css_files = ["mathematics.css", "pages.css"]
html_show_search_summary = False  # a page that was opened from disk can fetch no other
html_show_sphinx = html_show_copyright = False
html_copy_source = False
html_math_renderer = "mathml"
nb_execution_mode = "off"  # the notebooks come with their outputs
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_fence_as_directive: list[str] = []
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False}
viewcode_follow_imported_members = False
python_use_unqualified_type_names = True
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
pygments_style = "default"
suppress_warnings = ["ref.python"]  # of two classes of one name in two rooms, which one a signature means


def setup(app: Any) -> None:
    """Called by Sphinx."""
    docstrings.setup(app)
    mathematics.setup(app)
    figures.setup(app)
