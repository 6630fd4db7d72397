"""The official validator of RO-Crates, without a network."""

import json
import warnings

from rocrate import vocabs
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
# rocrate brings the terms of RO-Crate 1.3; those of 1.1 that we use differ in these addresses only
OF_1_1 = {
    name: f"https://bioschemas.org/{name}" for name in ("ComputationalWorkflow", "FormalParameter")
}
DOCUMENT = {"@context": vocabs.RO_CRATE["@context"] | OF_1_1}


class Answer:
    """The response of the host of the context."""

    status_code = 200
    headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012
    text = json.dumps(DOCUMENT)
    content = text.encode()

    def json(self):
        return DOCUMENT


def required_issues(folder, profile, monkeypatch):
    """Return what a profile requires and a crate lacks, without network access."""

    def get(self, url, **options):
        assert url == CONTEXT
        return Answer()

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)
    settings = models.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier=profile,
        requirement_severity=models.Severity.REQUIRED,
        offline=True,
        skip_availability_check=True,
    )
    with warnings.catch_warnings():
        # the validator and rdflib use deprecated functions of each other
        warnings.simplefilter("ignore", DeprecationWarning)
        found = services.validate(settings)
    issues = [f"{issue.check.identifier}: {issue.message}" for issue in found.get_issues()]
    assert found.passed(models.Severity.REQUIRED) == (not issues)
    return issues
