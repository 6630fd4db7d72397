"""The table of coverage: the worst module first, those below the least share, and the whole."""

import json

from tests.coverage_table import read, table, total


def test_modules_below_eighty_per_cent_are_listed_worst_first(tmp_path):
    lines = {"a.py": (9, 10), "b.py": (10, 40), "c.py": (0, 5), "empty.py": (0, 0), "d.py": (8, 10)}
    files = {
        name: {"summary": {"covered_lines": covered, "num_statements": of}}
        for name, (covered, of) in lines.items()
    }
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps({"files": files}))
    modules = read(path)
    rows = [line for line in table(modules).splitlines() if line.startswith("| `")]
    assert rows == ["| `c.py` | 0 | 5 | 5 |", "| `b.py` | 25 | 40 | 30 |"]
    assert total(modules) == 100 * 27 / 65
    assert table(modules).endswith(
        "41.5 % of the lines are covered; 2 of 4 modules are below 80 %."
    )
