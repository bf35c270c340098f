"""The tags `capabilities` and `registry`: what a region offers, and where images come from."""

from __future__ import annotations

import uuid
from typing import Any, Dict, List, Optional

import httpx
from ovhai import AuthenticatedClient
from ovhai.api.capabilities import (
    get_v1_capabilities_app_image,
    get_v1_capabilities_flavor,
    get_v1_capabilities_flavor_id,
    get_v1_capabilities_job_image,
    get_v1_capabilities_notebook_editor,
    get_v1_capabilities_notebook_editor_id,
    get_v1_capabilities_notebook_framework,
    get_v1_capabilities_notebook_framework_id,
    get_v1_capabilities_preset,
    get_v1_capabilities_preset_id,
    get_v1_capabilities_quota,
)
from ovhai.api.me import me
from ovhai.api.registry import (
    registry_delete,
    registry_get,
    registry_get_all,
    registry_new,
    registry_update,
)
from ovhai.models import (
    AppImage,
    Flavor,
    GpuInformation,
    Preset,
    PresetType,
    ProjectQuotas,
    Registry,
    RegistryList,
    RegistryUpdate,
    ResourcesPerUnit,
)
from ovhai.ovhai_types import UNSET, Unset

from harness import (
    IMAGE,
    REQUEST_TIMEOUT,
    Harness,
    Mismatch,
    expect,
    expect_date,
    expect_equal,
    expect_text,
    expect_type,
    forms_of,
    ids_of,
    title,
    token_value,
)

GIB = 1 << 30

# Type, description, CPU and GiB a unit, GPU, whether it is a default, most units: the service's
# list of 2024.
FLAVORS = {
    "a100-1-gpu": ("gpu", "NVIDIA Ampere A100", 13, 160, "Ampere-A100", False, 2),
    "ai1-1-cpu": ("cpu", "Intel CPU vCores", 1, 4, None, True, 12),
    "ai1-1-gpu": ("gpu", "NVIDIA Tesla V100S", 13, 40, "Tesla-V100S", True, 4),
    "ai1-le-1-gpu": ("gpu", "NVIDIA Tesla V100S", 13, 40, "Tesla-V100S", False, 4),
    "h100-1-gpu": ("gpu", "NVIDIA H100", 28, 350, "H100", False, 4),
    "l40s-1-gpu": ("gpu", "NVIDIA L40s", 13, 80, "L40s", False, 4),
    "l4-1-gpu": ("gpu", "NVIDIA L4", 20, 80, "L4", False, 4),
}
# Bytes of storage and bits of public network a second, a unit, where they are known.
STORAGE_AND_NETWORK = {
    "ai1-1-cpu": (40 * GIB, 500_000_000),
    "h100-1-gpu": (3 * 1024 * GIB, 5_000_000_000),
}
H100_MEMORY_GIB = 79.6

PASSWORD = "correct horse battery staple"


# --- capabilities ---------------------------------------------------------------------------


def figures(flavor: Flavor) -> Any:
    expect_type(flavor, Flavor, "a flavor")
    unit, gpu = flavor.resources_per_unit, flavor.gpu_information
    expect_type(unit, ResourcesPerUnit, f"resourcesPerUnit of {flavor.id}")
    model = None
    if not isinstance(gpu, Unset):
        expect_type(gpu, GpuInformation, f"gpuInformation of {flavor.id}")
        expect_equal(gpu.gpu_brand, "NVIDIA", f"gpuInformation.gpuBrand of {flavor.id}")
        model = gpu.gpu_model
    gib, rest = divmod(unit.memory, GIB)
    expect_equal(rest, 0, f"bytes beyond whole GiB of {flavor.id}")
    about = (flavor.type, flavor.description, unit.cpu, gib, model)
    return (*about, flavor.default, flavor.max_)


def check_flavors(harness: Harness) -> None:
    for what, reply in harness.every_form(get_v1_capabilities_flavor):
        expect_type(reply.parsed, list, what)
        found = {flavor.id: figures(flavor) for flavor in reply.parsed}
        expect_equal(len(reply.parsed), len(found), f"{what}, distinct ids")
        expect_equal(found, FLAVORS, f"{what}, figures")
        for flavor in reply.parsed:
            if flavor.id in STORAGE_AND_NETWORK:
                unit = flavor.resources_per_unit
                more = (unit.ephemeral_storage, unit.public_network)
                expect_equal(more, STORAGE_AND_NETWORK[flavor.id], f"{what}, more of {flavor.id}")
    for flavor_id, expected in FLAVORS.items():
        for what, reply in harness.every_form(get_v1_capabilities_flavor_id, id=flavor_id):
            expect_equal(reply.parsed.id, flavor_id, f"{what}, id")
            expect_equal(figures(reply.parsed), expected, f"{what}, figures of {flavor_id}")
    h100 = harness.call(get_v1_capabilities_flavor_id, id="h100-1-gpu").parsed
    memory = round(h100.gpu_information.gpu_memory / GIB, 1)
    expect_equal(memory, H100_MEMORY_GIB, "gpuInformation.gpuMemory of h100-1-gpu, in GiB")
    refuse_everywhere(harness, get_v1_capabilities_flavor_id, 404, id="abacus-1")


def refuse_everywhere(harness: Harness, operation: Any, status: int, **arguments: Any) -> None:
    """The SDK documents no refusal under this tag: every form raises."""
    for form in forms_of(operation):
        harness.raise_unexpected(operation, form, status, **arguments)


def check_quota(harness: Harness) -> None:
    """A list of one: the SDK 0.1a4 reads a list, whatever other descriptions say."""
    mine = harness.succeed(me, "sync", 200).parsed.quotas
    for what, reply in harness.every_form(get_v1_capabilities_quota):
        expect_equal(len(reply.parsed), 1, f"{what}, number of quotas")
        quotas = reply.parsed[0]
        expect_equal(quotas.to_dict(), mine.to_dict(), f"{what}, beside that of me")
        for kind in ("CPU", "GPU"):
            expect_type(quotas.resources[kind], int, f"{what}, quota of {kind}")


def check_app_images(harness: Harness) -> None:
    for what, reply in harness.every_form(get_v1_capabilities_app_image):
        expect_type(reply.parsed, list, what)
        for image in reply.parsed:
            expect_type(image, AppImage, what)
            expect_text(image.name, f"{what}, name of {image.id}")
            expect_text(image.description, f"{what}, description of {image.id}")
            expect(image.versions, f"{what}: {image.id} has no versions")
        expect(IMAGE in ids_of(reply.parsed), f"{what}: {IMAGE} is built in, but not there")
    refuse_everywhere(harness, get_v1_capabilities_app_image, 401, client=nobody(harness))


def nobody(harness: Harness) -> AuthenticatedClient:
    return harness.client_with("not.a.token")


def check_presets(harness: Harness) -> None:
    operation = get_v1_capabilities_preset
    for what, reply in harness.every_form(operation):
        expect_type(reply.parsed, list, what)
        names = {preset.name for preset in reply.parsed}
        expect(IMAGE in names, f"{what}: no preset of the built-in {IMAGE}: {names!r}")
        for preset in reply.parsed:
            expect_preset(preset)
    everything = ids_of(harness.call(operation).parsed)
    for what, reply in harness.every_form(operation, type=PresetType.APP.value):
        expect_equal(ids_of(reply.parsed), everything, f"{what}, presets of apps")
    for kind in (PresetType.JOB, PresetType.NOTEBOOK):
        for what, reply in harness.every_form(operation, type=kind.value):
            expect_equal(reply.parsed, [], f"{what}, presets of type {kind.value}")
    refuse_everywhere(harness, operation, 400, type="teapot")
    for preset_id in everything:
        for what, reply in harness.every_form(get_v1_capabilities_preset_id, id=preset_id):
            expect_equal(reply.parsed.id, preset_id, f"{what}, id")
            expect_preset(reply.parsed)
    refuse_everywhere(harness, get_v1_capabilities_preset_id, 404, id="teapot")


def expect_preset(preset: Preset) -> None:
    expect_type(preset, Preset, "a preset")
    expect_text(preset.id, "id of a preset")
    expect_equal(preset.type, PresetType.APP, f"type of {preset.id}")
    expect_text(preset.snippet, f"snippet of {preset.id}")
    expect_equal(preset.capabilities.log, True, f"capabilities.log of {preset.id}")
    expect_type(preset.capabilities.resources.max_gpu, int, f"most GPUs of {preset.id}")


def check_nothing_of_jobs_and_notebooks(harness: Harness) -> None:
    """Neither is emulated, so there is nothing of theirs: empty lists, and 404 of whatever id."""
    lists = (
        (get_v1_capabilities_job_image, {}),
        (get_v1_capabilities_notebook_editor, {}),
        (get_v1_capabilities_notebook_editor, {"compatible_with_framework": "pytorch"}),
        (get_v1_capabilities_notebook_framework, {}),
        (get_v1_capabilities_notebook_framework, {"compatible_with_editor": "jupyterlab"}),
    )
    for operation, filters in lists:
        for form in forms_of(operation):
            reply = harness.succeed(operation, form, 200, **filters)
            expect_equal(reply.parsed, [], title(operation, form))
    for operation, known in (
        (get_v1_capabilities_notebook_editor_id, "jupyterlab"),
        (get_v1_capabilities_notebook_framework_id, "pytorch"),
    ):
        refuse_everywhere(harness, operation, 404, id=known)
        for form in forms_of(operation):
            harness.mark(operation, form)


# --- registries -----------------------------------------------------------------------------


def wish(harness: Harness, name: str, **fields: Any) -> Registry:
    url = fields.pop("url", f"{name}-{harness.run}.example.com/team")
    return Registry(url=url, username=name, password=PASSWORD, **fields)


def expect_registry(registry: Registry, asked: Registry, what: str) -> None:
    """Everything is told but the password."""
    expect_type(registry, Registry, what)
    expect_equal(str(uuid.UUID(registry.id)), registry.id, f"{what}, id as a UUID")
    expect_equal(registry.url, asked.url, f"{what}, url")
    expect_equal(registry.username, asked.username, f"{what}, username")
    expect_date(registry.created_at, f"{what}, createdAt")
    expect_date(registry.updated_at, f"{what}, updatedAt")
    expect_text(registry.user, f"{what}, user")
    expect_equal(registry.password, UNSET, f"{what}, password")


def expect_no_password(content: bytes, what: str) -> None:
    expect(PASSWORD.encode() not in content, f"{what}: the password is in the answer")


def check_registries(harness: Harness) -> None:
    asked: Dict[str, Registry] = {}
    order: List[str] = []
    for number, form in enumerate(forms_of(registry_new)):
        body = wish(harness, f"robot-{number}")
        if number == 1:
            body.url = f"https://{body.url.replace('/', ':443/')}"
        reply = harness.succeed(registry_new, form, 200, body=body)
        expect_registry(reply.parsed, body, title(registry_new, form))
        expect_no_password(reply.content, title(registry_new, form))
        harness.made_registries.append(reply.parsed.id)
        asked[reply.parsed.id] = body
        order.insert(0, reply.parsed.id)
    expect_equal(len(asked), 4, "distinct ids of four registries")

    for registry_id, body in asked.items():
        for what, reply in harness.every_form(registry_get, id=registry_id):
            expect_registry(reply.parsed, body, what)
            expect_equal(reply.parsed.id, registry_id, f"{what}, id")
            expect_no_password(reply.content, what)
    check_registry_list(harness, order)
    check_registry_update(harness, order[0], asked[order[0]])
    check_registry_delete(harness, order)


def check_registry_list(harness: Harness, order: List[str]) -> None:
    """The newest is first."""
    for what, reply in harness.every_form(registry_get_all, size=1000):
        expect_type(reply.parsed, RegistryList, what)
        listed = [registry.id for registry in reply.parsed.items]
        expect_equal([each for each in listed if each in order], order, f"{what}, ids")
        expect_equal(reply.parsed.metadata.total, len(listed), f"{what}, metadata.total")
        expect_no_password(reply.content, what)
    total = len(listed)
    pages = [
        harness.succeed(registry_get_all, "sync", 200, page=page, size=2).parsed
        for page in (1, 2)
    ]
    together = [registry.id for page in pages for registry in page.items]
    expect_equal(together, listed[:4], "registries of the first two pages of two")
    for number, page in enumerate(pages, start=1):
        expect_equal(page.metadata.current_page, number, "metadata.currentPage")
        expect_equal(page.metadata.total, total, "metadata.total with pages of two")
        expect_equal(page.metadata.page_count, -(-total // 2), "metadata.pageCount by two")
    harness.refuse(registry_get_all, 400, size=0)


def check_registry_update(harness: Harness, registry_id: str, known: Registry) -> None:
    """What is not given stays, and a new password is as secret as the first."""
    updates = {
        "sync_detailed": RegistryUpdate(url=f"moved-{harness.run}.example.com"),
        "asyncio_detailed": RegistryUpdate(username="cuckoo", password=PASSWORD[::-1]),
    }
    before = harness.call(registry_get, id=registry_id).parsed
    for form in forms_of(registry_update):
        update = updates[form]
        harness.succeed(registry_update, form, 204, id=registry_id, body=update)
        known.url = update.url or known.url
        known.username = update.username or known.username
        reply = harness.call(registry_get, id=registry_id)
        expect_registry(reply.parsed, known, "an updated registry")
        expect(PASSWORD[::-1].encode() not in reply.content, "a new password is in the answer")
        expect_equal(reply.parsed.created_at, before.created_at, "createdAt once updated")
        expect(reply.parsed.updated_at >= before.updated_at, "updatedAt went back")


def check_registry_delete(harness: Harness, order: List[str]) -> None:
    for number, registry_id in enumerate(order):
        form = forms_of(registry_delete)[number % 2]
        harness.succeed(registry_delete, form, 204, id=registry_id)
        harness.refuse(registry_get, 404, id=registry_id)
        listed = harness.succeed(registry_get_all, "sync", 200, size=1000).parsed.items
        expect(registry_id not in ids_of(listed), f"registry {registry_id} is deleted, yet listed")


def check_registry_refusals(harness: Harness) -> None:
    """Registries are reached by https on port 443; nothing is kept of what is refused."""
    before = harness.call(registry_get_all, size=1000).parsed.metadata.total
    host = f"refused-{harness.run}.example.com"
    for url in (f"{host}:5000", f"https://{host}:80/team", f"http://{host}", "", "a b"):
        harness.refuse(registry_new, 400, body=wish(harness, "robot", url=url))
    harness.refuse(registry_new, 400, body=wish(harness, ""))
    after = harness.call(registry_get_all, size=1000).parsed.metadata.total
    expect_equal(after, before, "registries after refused ones")

    kept = harness.succeed(registry_new, "sync", 200, body=wish(harness, "robot")).parsed
    harness.made_registries.append(kept.id)
    harness.refuse(registry_update, 400, id=kept.id, body=RegistryUpdate(url=f"{host}:5000"))
    expect_registry(harness.call(registry_get, id=kept.id).parsed, kept, "after a refused update")
    harness.succeed(registry_delete, "sync_detailed", 204, id=kept.id)
    for unknown in (kept.id, str(uuid.uuid4()), "not-a-uuid"):
        harness.refuse(registry_get, 404, id=unknown)
        update = RegistryUpdate(username="robot")
        for form in forms_of(registry_update):  # 404 is not documented there
            harness.raise_unexpected(registry_update, form, 404, id=unknown, body=update)
        harness.refuse(registry_delete, 404, id=unknown)


def check_registries_forbidden(harness: Harness) -> None:
    """Registries are the project's: a scoped token has none, a reader neither; nobody is asked."""
    kept = harness.succeed(registry_new, "sync", 200, body=wish(harness, "robot")).parsed
    harness.made_registries.append(kept.id)

    def refused(status: int, client: Optional[AuthenticatedClient]) -> None:
        update = RegistryUpdate(username="cuckoo")
        harness.refuse(registry_get_all, status, client=client)
        harness.refuse(registry_get, status, client=client, id=kept.id)
        harness.refuse(registry_new, status, client=client, body=wish(harness, "cuckoo"))
        harness.refuse(registry_update, status, client=client, id=kept.id, body=update)
        harness.refuse(registry_delete, status, client=client, id=kept.id)

    for name in ("reader", "operator"):
        refused(403, harness.client_with(token_value(harness.tokens[name])))
    refused(401, nobody(harness))
    found = harness.call(registry_get, id=kept.id).parsed
    expect_equal(found.to_dict(), kept.to_dict(), "a registry after attempts on it")

    client = harness.client_with(token_value(harness.tokens["unscoped"]))
    own = harness.succeed(registry_new, "sync", 200, client=client, body=wish(harness, "own"))
    harness.made_registries.append(own.parsed.id)
    for each in (own.parsed, kept):
        harness.succeed(registry_get, "sync", 200, client=client, id=each.id)
        harness.succeed(registry_delete, "sync_detailed", 204, client=client, id=each.id)
