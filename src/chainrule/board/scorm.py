"""A folder of files as a SCORM 1.2 package, and the calls by which the page reports marks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from html import escape

WHEN = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every file, so that equal contents make equal packages."""

SCRIPT = """
(function () {
  // The API of SCORM 1.2 is an object named API in a frame around the page, or in its opener.
  function api() {
    for (const first of [window, window.opener]) {
      let frame = first;
      for (let depth = 0; frame && depth < 12; depth++) {
        try {
          if (frame.API) return frame.API;
        } catch (error) {
          break; // a frame of another origin
        }
        if (frame === frame.parent) break;
        frame = frame.parent;
      }
    }
    return null;
  }
  const found = api();
  if (found) {
    found.LMSInitialize("");
    found.LMSSetValue("cmi.core.lesson_status", "incomplete");
    found.LMSCommit("");
    window.addEventListener("pagehide", () => found.LMSFinish(""));
  }
  window.chainruleScorm = {
    /** Report a mark: so many right answers of so many. */
    score(right, total) {
      if (!found || !(total > 0)) return;
      const mark = Math.round((100 * Math.min(right, total)) / total);
      found.LMSSetValue("cmi.core.score.min", "0");
      found.LMSSetValue("cmi.core.score.max", "100");
      found.LMSSetValue("cmi.core.score.raw", String(mark));
      found.LMSSetValue("cmi.core.lesson_status", "completed");
      found.LMSCommit("");
    },
  };
})();
"""


def packaged(found: Mapping[str, bytes], title: str) -> bytes:
    """Return files as a SCORM 1.2 package that opens ``index.html``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {"imsmanifest.xml": _manifest(found, title), **found}.items():
            entry = zipfile.ZipInfo(name, WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return stream.getvalue()


def _manifest(found: Mapping[str, bytes], title: str) -> bytes:
    names = "\n".join(f'      <file href="{escape(name, quote=True)}"/>' for name in sorted(found))
    shown = escape(title)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="chainrule-board" version="1.2"
  xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
  xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.imsproject.org/xsd/imscp_rootv1p1p2 imscp_rootv1p1p2.xsd
    http://www.adlnet.org/xsd/adlcp_rootv1p2 adlcp_rootv1p2.xsd">
  <metadata>
    <schema>ADL SCORM</schema>
    <schemaversion>1.2</schemaversion>
  </metadata>
  <organizations default="chainrule">
    <organization identifier="chainrule">
      <title>{shown}</title>
      <item identifier="board" identifierref="page">
        <title>{shown}</title>
      </item>
    </organization>
  </organizations>
  <resources>
    <resource identifier="page" type="webcontent" adlcp:scormtype="sco" href="index.html">
{names}
    </resource>
  </resources>
</manifest>
""".encode()
