from .office import Office


async def test_every_route_says_who_may_call_it(office: Office) -> None:
    document = (await office.admin.get("/openapi.json")).json()
    routes = [route for path in document["paths"].values() for route in path.values()]
    assert len(routes) >= 19
    assert all(route["x-fairloop-roles"] for route in routes)
