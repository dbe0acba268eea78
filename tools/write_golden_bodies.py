"""Write golden bodies of codecs: small messages under every switch, which later versions must decode.

PYTHONPATH=.:tests python tools/write_golden_bodies.py [KIND ...]

A file that exists is kept, and cases that it lacks are added: what was once written must stay readable.
"""

import json
import sys

from codec_cases import KINDS, golden_cases, golden_path


def write(kind: str) -> str:
    """Add the missing cases of `kind` to its file; return what was done."""
    path = golden_path(kind)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    known = {_name(case) for case in kept}
    fresh = [case for case in golden_cases(kind) if _name(case) not in known]
    if fresh:
        lines = ",\n".join(json.dumps(case) for case in [*kept, *fresh])
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return f"{path.name}: {len(kept)} kept, {len(fresh)} written"


def _name(case: dict[str, object]) -> tuple[str, str]:
    return json.dumps(case["settings"]), str(case["dtype"])


if __name__ == "__main__":
    wrong = [kind for kind in sys.argv[1:] if kind not in KINDS]
    if wrong:
        sys.exit(f"no codec {', '.join(wrong)} among {', '.join(KINDS)}")
    for each in sys.argv[1:] or KINDS:
        print(write(each))
