"""Which playbooks fit an incident."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Automation
from incidentio.core.matchers import all_match


def proposed(labels: Mapping[str, str], automation: Automation, bundle: Bundle) -> dict[str, str]:
    """Name → why, of every playbook whose `when` holds and that the service's `propose` globs let through.

    A playbook without `when` fits nothing by itself: a person may still ask for it.
    """
    found = {}
    for name, playbook in sorted(bundle.playbooks.items()):
        allowed = any(fnmatchcase(name, pattern) for pattern in automation.propose)
        if playbook.when and allowed and all_match(playbook.when, labels):
            found[name] = "when " + ", ".join(str(matcher) for matcher in playbook.when)
    return found
