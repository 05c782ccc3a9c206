"""Reads assessment results by compliance-trestle, and prints its own account of them: oscal.py FILE."""

import json
import sys
from pathlib import Path

from trestle.oscal import OSCAL_VERSION
from trestle.oscal.assessment_results import AssessmentResults

results = AssessmentResults.oscal_read(Path(sys.argv[1]))
assert str(results.metadata.oscal_version.__root__) == OSCAL_VERSION, results.metadata.oscal_version
result = results.results[0]
assert result.findings is None
controls = result.reviewed_controls.control_selections[0].include_controls
resources = {str(resource.uuid): resource for resource in results.back_matter.resources}
assert str(results.import_ap.href)[1:] in resources


def evidence(observation):
    for item in observation.relevant_evidence or []:
        link = resources[str(item.href)[1:]].rlinks[0]
        yield [link.href, link.hashes[0].value]


print(
    json.dumps(
        {
            "uuid": results.uuid,
            "controls": [control.control_id for control in controls],
            "observations": [
                {
                    "uuid": observation.uuid,
                    "description": observation.description,
                    "props": {prop.name: prop.value for prop in observation.props},
                    "evidence": list(evidence(observation)),
                }
                for observation in result.observations
            ],
        }
    )
)
