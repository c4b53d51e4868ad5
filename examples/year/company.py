"""Clearview Glass with three branches and forty people, as the bodies of the requests that describe it."""

from examples.windscreen.company import Company, Request

BRANCHES = ("north", "middle", "south")
MECHANICS_PER_BRANCH = 10
MECHANICS = {
    branch: tuple(f"{branch}-mechanic-{number}" for number in range(1, MECHANICS_PER_BRANCH + 1))
    for branch in BRANCHES
}
SCHEDULERS = {branch: f"{branch}-scheduler" for branch in BRANCHES}
OFFICE = {
    "director": ("branch_manager", "glass"),
    "buyer-1": ("buyer", "supply"),
    "buyer-2": ("buyer", "supply"),
    "controller": ("controller", "glass"),
    **{f"{branch}-manager": ("branch_manager", branch) for branch in BRANCHES},
}
"""Name → role and unit of everybody who is neither mechanic nor scheduler."""

_UNITS = {
    "glass": ("Clearview Glass", None),
    "north": ("Branch North", "glass"),
    "middle": ("Branch Middle", "glass"),
    "south": ("Branch South", "glass"),
    "supply": ("Supply", "glass"),
    "planning": ("Planning", "glass"),
}
_ROLES = {"mechanic": True, "scheduler": False, "branch_manager": True, "buyer": False, "controller": False}


def everybody() -> dict[str, tuple[str, str]]:
    """Name → role and unit of all forty."""
    mechanics = {name: ("mechanic", branch) for branch, names in MECHANICS.items() for name in names}
    schedulers = dict.fromkeys(SCHEDULERS.values(), ("scheduler", "planning"))
    return {**OFFICE, **schedulers, **mechanics}


class YearCompany(Company):
    """The windscreen story's causes, influences and survey, with a larger directory. Ids end in the tag."""

    def directory(self) -> list[Request]:
        """Units, roles, people and who works where since 2020."""
        requests: list[Request] = [
            (
                "attribution",
                f"/v1/org-units/{self.id(unit)}",
                {"name": name, "parent": None if parent is None else self.id(parent)},
            )
            for unit, (name, parent) in _UNITS.items()
        ]
        requests += [
            ("attribution", f"/v1/roles/{self.id(role)}", {"name": role, "customer_facing": facing})
            for role, facing in _ROLES.items()
        ]
        people = everybody()
        requests += [
            ("attribution", f"/v1/employees/{self.id(name)}", self._employee(name, unit))
            for name, (_, unit) in people.items()
        ]
        requests += [
            (
                "attribution",
                f"/v1/assignments/{self.id(name)}",
                {
                    "employee": self.id(name),
                    "role": self.id(role),
                    "org_unit": self.id(unit),
                    "from": "2020-01-01",
                },
            )
            for name, (role, unit) in people.items()
        ]
        return requests

    def _employee(self, name: str, unit: str) -> dict[str, str]:
        described = {"name": name.replace("-", " ").title(), "email": f"{name}@clearview.example"}
        if name != "director":
            manager = f"{unit}-manager" if unit in BRANCHES and not name.endswith("-manager") else "director"
            described["manager"] = self.id(manager)
        return described
