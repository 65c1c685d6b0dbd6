"""Build the site: everything that is to be read, and the API with its equations typeset.

    python -m tutorials.site                into the folder site
    python -m tutorials.site --out FOLDER   into another

It opens from disk, search included: nothing is fetched. A link that leads nowhere ends the build with a sentence.
It needs the extra `docs`: pip install -e '.[docs]'
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tutorials.site.links import broken
from tutorials.site.pages import gather

PACKAGES = ["sphinx", "myst_nb", "furo", "sphinx_copybutton"]


def build(out: Path) -> int:
    """Write the site into a folder, whole or not at all -> 0, or 1 where Sphinx had something to say."""
    from sphinx.application import Sphinx

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".site-") as scratch:
        source, made = Path(scratch, "source"), Path(scratch, "html")
        gather(source)
        app = Sphinx(
            source,
            Path(__file__).parent,
            made,
            Path(scratch, "doctrees"),
            "html",
            status=None,
            warning=sys.stderr,
            warningiserror=True,  # then statuscode is 1
        )
        app.build()
        wrong = broken(made)
        print("".join(f"{sentence}\n" for sentence in wrong), end="", file=sys.stderr)
        if wrong or app.statuscode:
            return 1
        shutil.rmtree(out, ignore_errors=True)
        made.rename(out)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command. 0: built; 1: something on the pages is wrong; 2: it cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m tutorials.site", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("site"), metavar="FOLDER", help="where to (default: site)")
    out = parser.parse_args(arguments).out.resolve()
    absent = [name for name in PACKAGES if find_spec(name) is None]
    if absent:
        print(f"The site needs {', '.join(absent)}: pip install -e '.[docs]'", file=sys.stderr)
        return 2
    if out.exists() and not (out / "searchindex.js").exists():
        print(f"{out} is there and no site; --out needs a folder that is new, or a site built before", file=sys.stderr)
        return 2
    code = build(out)
    print(f"Open {out / 'index.html'}" if code == 0 else "The site was not written: see above.", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
