"""Every key, every module: exactly the jobs that depend on it run again."""

import ast
import re
from fnmatch import fnmatch

import plans
import pytest
from rerun_table import (
    BASE,
    DIRECTLY,
    MADE_OF,
    NOT_TRIED,
    TOGETHER,
    VALUES,
    below,
    changed,
    directly,
)
from workflow_tools import ROOT, SMOKE, TARGETS

from popsed_core.config import root
from popsed_core.config.base import merge, to_plain
from popsed_core.provenance.code_version import import_closure
from popsed_core.provenance.verbs import modules_of

pytestmark = pytest.mark.slow
# one of several that are alike
ALIKE = (
    f"surveys.{BASE}.bands.[ugiz].*",
    "downloads.kcorrect_sdss.*", "downloads.gama_m*", "downloads.gama_e*",
    "downloads.nebular_*", "downloads.line_wavelengths.*",
    "parameters.kappa_[23].*", "parameters.f_burst.*", "parameters.logzsol.*",
    "parameters.dust_index.*", "parameters.tau_ism.*", "*.cuts.also_bands", "*.cuts.min_j_minus_k",
    "surveys.sdss_demo.*", "surveys.gama.*", "surveys.realistic_mock.*", "surveys.*_mock.cuts.*",
    "surveys.*_mock.parameters.kappa_1*", "surveys.*_mock.parameters.[fldt]*",
)  # fmt: skip
# what a job imports besides what decides its numbers: its border, the same for all
BORDER = {
    "cli", "errors", "files.version", "running.logs", "running.loop", "files.inputs",
    "running.gpus", "files.lock",
    "running.runtime", "costs.machine", "provenance.code_version", "provenance.verbs",
    "provenance.sidecars", "figures.registry", "figures.names", "files.packaged",
    "parameters",  # names, which the configuration is checked against
}  # fmt: skip


def leaves(tree, path=()):
    """Return each key with its value."""
    if not isinstance(tree, dict) or not tree:
        return {".".join(path): tree}
    return {key: value for name in tree for key, value in leaves(tree[name], (*path, name)).items()}


SETTINGS = leaves(to_plain(root.load(ROOT / "config.yaml", ROOT / SMOKE[1])))
IS_ALIKE = {key for key in SETTINGS if any(fnmatch(key, pattern) for pattern in ALIKE)}
UNSET = {key for key, value in SETTINGS.items() if value in (None, [], {}) and key not in VALUES}
PACKAGES = {
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in (ROOT / "popsed_core").rglob("__init__.py")
} - {"popsed_core"}
KEYS = [key for key in SETTINGS if key not in IS_ALIKE | UNSET | set(NOT_TRIED)]


def nested(key, value):
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


def rerun(built, **changes):
    """Return the rules that would run; with whose noise, where there are two."""
    jobs = plans.planned_jobs(built, TARGETS, SMOKE[1:], **changes)
    surveys = {"fit_noise": " of {survey}"}
    return {rule + surveys.get(rule, "").format(**wildcards) for rule, wildcards in jobs}


@pytest.fixture(scope="module")
def base(built):
    """The built tree with the files that other values of keys name."""
    table = built / "tests/data/toy_survey.csv"
    (built / VALUES[f"surveys.{BASE}.path"]).write_bytes(table.read_bytes())
    return built


@pytest.mark.parametrize("key", KEYS)
def test_a_changed_key_runs_what_depends_on_it(base, key):
    values = merge(nested(key, changed(key, SETTINGS[key])), TOGETHER.get(key, {}))
    assert rerun(base, values=values) == below(directly(key))


def test_without_a_change_nothing_runs(base):
    assert rerun(base) == set()


def test_every_section_has_keys_that_are_tried():
    tried = {key.split(".")[0] for key in KEYS}
    assert {key.split(".")[0] for key in SETTINGS} - tried == {"survey"}


def test_the_table_speaks_of_keys_that_exist_and_are_tried():
    for key in (*VALUES, *NOT_TRIED):
        assert key in SETTINGS, key
    unused = [pattern for pattern, _ in DIRECTLY if not any(fnmatch(k, pattern) for k in KEYS)]
    assert unused == []


def codes(built):
    """Return the modules of each rule's code hash, by their own words in the rules."""
    text = "".join(path.read_text() for path in (built / "workflow/rules").glob("*.smk"))
    found = {}
    for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", text, re.M | re.S):
        code = re.search(r'code=code_of\("(.*?)"\)', body)
        if code is not None:
            modules = modules_of(code[1])
            found[name] = set().union(*map(import_closure, modules))
    return found


def imported(log):
    """Return our modules that a job imported, by Python's own account in its log."""
    names = re.findall(r"^import time: .*\| +popsed_core\.([\w.]+)$", log.read_text(), re.M)
    # what the configuration's modules make is values, and those are in `params`
    own = {n for n in names if n not in BORDER and not n.startswith(("commands", "config."))}
    return {f"popsed_core.{name}" for name in own} - PACKAGES


def upstream(rule):
    """Return a rule and all rules whose files it reads, or that were needed for these."""
    sources = {base.split(" of ")[0] for name, bases in MADE_OF.items() for base in bases
               if name.split(" of ")[0] == rule}  # fmt: skip
    found = {rule}
    for source in sources - {rule}:
        found |= upstream(source) if source != "observe_mock" or rule != "fit_noise" else {source}
    return found


LOGS = {  # rule: one of its logs
    "build_ssp": "build_ssp", "build_catalogue": f"{BASE}/build_catalogue",
    "fit_noise": f"{BASE}/fit_noise", "observe_mock": "table2_mock/observe_mock",
    "fit_member": "table2_mock/fit_member_1", "sample_ensemble": "table2_mock/sample_ensemble",
    "write_tables": "table2_mock/write_tables", "summarise": "table2_mock/summarise",
    "write_provenance": "table2_mock/write_provenance",
    "training_chunk": "emulator/training_chunk_1", "training_index": "emulator/training_index",
    "spectrum_basis": "emulator/spectrum_basis_0", "train_segment": "emulator/train_segment_0",
    "assemble_emulator": "emulator/assemble", "validate_emulator": "emulator/validate",
    "figure_emulator_basis": "emulator/figure_emulator_basis",
    "figure_emulator_accuracy": "emulator/figure_emulator_accuracy",
}  # fmt: skip


@pytest.mark.parametrize("rule", LOGS)
def test_a_change_of_any_module_that_a_job_imports_runs_it_again(built, rule):
    seen = imported(built / f"logs/{LOGS[rule]}.log")
    assert len(seen) > 2
    of_rules = codes(built)
    assert seen - set().union(*(of_rules.get(name, set()) for name in upstream(rule))) == set()


def test_packages_hold_no_code_of_their_own():
    for name in PACKAGES:
        path = ROOT / name.replace(".", "/") / "__init__.py"
        body = ast.parse(path.read_text()).body
        assert [type(node) for node in body] == [ast.Expr], name


def modules_by_rules(built):
    """Return one module for each set of rules that depend on the same modules."""
    of_rules = codes(built)
    found = {}
    for module in sorted(set().union(*of_rules.values())):
        found.setdefault(frozenset(r for r, mine in of_rules.items() if module in mine), module)
    return {module: rules for rules, module in found.items()}


def test_a_changed_module_runs_the_rules_whose_jobs_import_it(base):
    groups = modules_by_rules(base)
    assert len(groups) > 15
    names = {"fit_noise": {f"fit_noise of {BASE}", "fit_noise of table2_mock"}}
    not_here = {"gama_standin", "compare_engines", "figure_engines", "build_crate"}
    for module, rules in groups.items():
        roots = set().union(*(names.get(rule, {rule}) for rule in rules - not_here))
        found = rerun(base, modules=[module])
        figures = {name for name in found if name.startswith("figure_")} - rules
        # the rules of figures are made in a loop: theirs is held in test_incremental
        assert found - figures - {"html_report"} == below(roots) - figures - {"html_report"}, module
