"""`python -m docs.tools [OUT]` builds the site, into build/docs where no other folder is named."""

import sys
import time
from pathlib import Path

from docs.tools.site import SITE, build_site

if __name__ == "__main__":
    began = time.monotonic()
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE
    build_site(out)
    n_pages, seconds = sum(1 for _ in out.rglob("*.html")), time.monotonic() - began
    print(f"{n_pages} pages after {seconds:.0f} s. To read them with search: python -m http.server -d {out}")
