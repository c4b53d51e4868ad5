"""A glass repair company, as the bodies of the requests that tell Fairloop about it.

Every id ends in a tag of the run, so that the story can be played any number of times on one installation.
"""

from dataclasses import dataclass
from typing import Any

Request = tuple[str, str, dict[str, Any]]
"""(service, path, body) of a PUT."""

LABELS = {
    "Window replacement": "window_replacement",
    "Making an appointment": "appointment",
    "Service": "service",
    "Price and financial processing": "price",
    "Accessibility": "accessibility",
    "Quality of the replacement": "quality",
    "Right window present": "right_window",
    "Cleanliness of the car on delivery": "cleanliness",
    "Speed of the work": "speed",
    "Information provision": "information",
    "Lead time": "lead_time",
}
"""The survey's answer labels → cause ids."""

SURVEY_MAPPING = {
    "nps": "q_nps",
    "comment": "q_why",
    "cause1": "q_rc1",
    "cause2": "q_rc2",
    "customer_ref": "h_customer",
    "customer_name": "q_name",
    "customer_email": "q_mail",
    "interaction_ref": "h_job",
    "segments": {"branch": "h_branch"},
    "consent_quote": "q_ok",
    "cause_values": LABELS,
}


@dataclass(frozen=True)
class Company:
    """The ids of one run. `guest`: it plays beside other data, which it must not touch."""

    tag: str
    guest: bool = False

    def id(self, name: str) -> str:
        return f"{name}-{self.tag}"

    @property
    def top(self) -> str:
        """The company's uppermost unit. Of several the first by id is the organisation's: a guest's comes last."""
        return self.id("zzz-glass" if self.guest else "glass")

    @property
    def detractor_rule(self) -> str:
        """The alert rule that opens the cases: a guest's own, since the default may have been changed."""
        return self.id("detractors") if self.guest else "default"

    def directory(self) -> list[Request]:
        """Units, roles, people and who works where."""
        top = self.top
        units = {
            top: ("Clearview Glass", None),
            self.id("north"): ("Branch North", top),
            self.id("south"): ("Branch South", top),
            self.id("supply"): ("Supply", top),
            self.id("planning"): ("Planning", top),
        }
        jobs = {"mechanic": True, "scheduler": False, "branch_manager": True, "buyer": False}
        people = {
            "boss": ("Bo Director", None, "branch_manager", top),
            "nora": ("Nora North", "boss", "branch_manager", self.id("north")),
            "mila": ("Mila Mechanic", "nora", "mechanic", self.id("north")),
            "sam": ("Sam Mechanic", "nora", "mechanic", self.id("south")),
            "skip": ("Skip Scheduler", "boss", "scheduler", self.id("planning")),
            "bea": ("Bea Buyer", "boss", "buyer", self.id("supply")),
        }
        requests: list[Request] = [
            ("attribution", f"/v1/org-units/{unit}", {"name": name, "parent": parent})
            for unit, (name, parent) in units.items()
        ]
        requests += [
            ("attribution", f"/v1/roles/{self.id(job)}", {"name": job, "customer_facing": facing})
            for job, facing in jobs.items()
        ]
        for person, (name, manager, job, unit) in people.items():
            employee = {"name": name}
            if not self.guest:  # a running installation may send mails
                employee["email"] = f"{person}@clearview.example"
            if manager is not None:
                employee["manager"] = self.id(manager)
            assignment = {
                "employee": self.id(person),
                "role": self.id(job),
                "org_unit": unit,
                "from": "2020-01-01",
            }
            requests.append(("attribution", f"/v1/employees/{self.id(person)}", employee))
            requests.append(("attribution", f"/v1/assignments/{self.id(person)}", assignment))
        return requests

    def causes(self) -> list[Request]:
        """The two-level taxonomy, who owns which process, and what each role can influence."""
        supply, planning = self.id("supply"), self.id("planning")
        second = [
            {"id": "quality", "name": "Quality of the replacement"},
            {"id": "right_window", "name": "Right window present", "process_owner": supply},
            {"id": "cleanliness", "name": "Cleanliness of the car on delivery"},
            {"id": "speed", "name": "Speed of the work", "process_owner": planning},
            {"id": "information", "name": "Information provision"},
            {"id": "lead_time", "name": "Lead time", "process_owner": planning},
        ]
        first = [
            {"id": "window_replacement", "name": "Window replacement", "children": second},
            {"id": "appointment", "name": "Making an appointment", "process_owner": planning},
            {"id": "service", "name": "Service"},
            {"id": "price", "name": "Price and financial processing"},
            {"id": "accessibility", "name": "Accessibility"},
        ]
        influence = {
            "mechanic": ("quality", "cleanliness", "speed"),
            "scheduler": ("lead_time", "appointment"),
        }
        cells = [
            {"role": self.id(job), "cause": cause, "influence": "1"}
            for job, causes in influence.items()
            for cause in causes
        ]
        taxonomy = self.id("windscreen")
        return [
            ("attribution", f"/v1/taxonomies/{taxonomy}", {"causes": first}),
            (
                "attribution",
                f"/v1/influence-matrices/{taxonomy}",
                {"taxonomy": taxonomy, "valid_from": "2020-01-01", "cells": cells},
            ),
        ]

    def survey(self, secret: str) -> Request:
        """The connection that the survey platform posts to."""
        body = {
            "platform": "formbricks",
            "secrets": [secret],
            "survey_type": "transactional",
            "taxonomy": self.id("windscreen"),
            "mapping": SURVEY_MAPPING,
        }
        return ("survey-intake", f"/v1/connections/{self.id('windscreen')}", body)
