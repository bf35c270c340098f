"""How many replicas: fixed, by use, with the fields that are younger than the SDK, and too many."""

from __future__ import annotations

import json
import shlex

from ovhai.api.app import (
    app_cli_command,
    app_edit,
    app_start,
    app_stop,
    delete_v1_app_id,
    post_v1_app,
)
from ovhai.api.me import me
from ovhai.models import (
    AppSpec,
    AutomaticScalingStrategy,
    FixedScalingStrategy,
    Resources,
    ScalingResourceType,
    ScalingStrategy,
)
from ovhai.ovhai_types import Unset

from harness import Harness, expect, expect_equal, expect_one_of, expect_type, forms_of, title


def check_scaling(harness: Harness) -> None:
    app_id = harness.app_ids["alpha"]
    two = ScalingStrategy(fixed=FixedScalingStrategy(replicas=2))
    harness.succeed(app_edit, "sync_detailed", 204, id=app_id, body=two)
    app = harness.wait_for_replicas(app_id, 2)
    expect_equal(app.spec.scaling_strategy.fixed.replicas, 2, "spec.scalingStrategy.fixed")

    automatic = AutomaticScalingStrategy(
        average_usage_target=75,
        replicas_max=2,
        replicas_min=1,
        resource_type=ScalingResourceType.CPU,
    )
    strategy = ScalingStrategy(automatic=automatic)
    harness.succeed(app_edit, "asyncio_detailed", 204, id=app_id, body=strategy)
    given = harness.app("alpha").spec.scaling_strategy
    expect(isinstance(given.fixed, Unset), f"fixed scaling stays beside automatic: {given!r}")
    shown = given.automatic.to_dict()
    asked = automatic.to_dict()
    expect_equal({key: shown.get(key) for key in asked}, asked, "spec.scalingStrategy.automatic")

    one = ScalingStrategy(fixed=FixedScalingStrategy(replicas=1))
    harness.succeed(app_edit, "sync_detailed", 204, id=app_id, body=one)
    harness.wait_for_replicas(app_id, 1)


def check_scaling_fields(harness: Harness) -> None:
    """Fields younger than the SDK: it keeps them, so they survive being read and sent back."""
    app_id = harness.app_ids["alpha"]
    metric = {
        "apiUrl": "http://<SELF>:8080/queue?of=jobs",
        "format": "JSON",
        "valueLocation": "queue.length",
        "targetValue": 5,
        "aggregationType": "SUM",
    }
    younger = {
        "scaleUpStabilizationWindowSeconds": 15,
        "scaleDownStabilizationWindowSeconds": 120,
        "cooldownPeriodSeconds": 60,
        "customMetrics": metric,
    }
    asked = AutomaticScalingStrategy(
        average_usage_target=60,
        replicas_max=2,
        replicas_min=0,
        resource_type=ScalingResourceType.RAM,
    )
    asked.additional_properties = younger
    wishes = ScalingStrategy(automatic=asked)
    command = harness.succeed(
        app_cli_command, "sync", 200, body=harness.spec(scaling_strategy=wishes)
    ).parsed.command
    for setting in (metric["apiUrl"], metric["valueLocation"], "SUM", "15", "120", "60"):
        words = shlex.split(command)
        present = any(word == setting or word.endswith(f"={setting}") for word in words)
        expect(present, f"no {setting!r} in the command {command!r}")

    for form in forms_of(app_edit):
        harness.succeed(app_edit, form, 204, id=app_id, body=wishes)
        given = harness.app("alpha").spec.scaling_strategy
        expect_type(given.automatic, AutomaticScalingStrategy, "spec.scalingStrategy.automatic")
        kept = given.automatic.additional_properties
        expect_equal(kept, younger, "younger fields of spec.scalingStrategy.automatic")
        expect_equal(given.to_dict(), wishes.to_dict(), "spec.scalingStrategy")
        # What the emulator gave is what is sent the next time.
        wishes = given

    one = ScalingStrategy(fixed=FixedScalingStrategy(replicas=1))
    harness.succeed(app_edit, "sync_detailed", 204, id=app_id, body=one)
    harness.wait_for_replicas(app_id, 1)


def check_over_quota(harness: Harness) -> None:
    """Beyond the quota of GPUs: 402 at once, which the SDK documents for submissions only."""
    quota = harness.succeed(me, "sync", 200).parsed.quotas.resources["GPU"]
    expect_one_of(quota, range(1, 10), "quota of GPUs, which one app's replicas use up here")

    def wish(replicas: int) -> AppSpec:
        strategy = ScalingStrategy(fixed=FixedScalingStrategy(replicas=replicas))
        spec = harness.spec(labels=harness.labels(group="G"), scaling_strategy=strategy)
        spec.resources = Resources(gpu=1)
        return spec

    def create(replicas: int) -> str:
        app = harness.succeed(post_v1_app, "sync_detailed", 200, body=wish(replicas)).parsed
        harness.made_apps.append(app.id)
        return app.id

    harness.refuse(post_v1_app, 402, body=wish(quota + 1))
    hog = create(quota)
    reply = harness.call(post_v1_app, body=wish(1))
    expect_equal(reply.status, 402, "status of a submission beyond the quota")
    message = json.loads(reply.content)["message"]
    for word in ("GPU", str(quota)):
        expect(word in message, f"no {word!r} in the message of a 402: {message!r}")
    for form in ("asyncio", "asyncio_detailed"):
        refused = harness.call(post_v1_app, form, body=wish(1)).parsed
        expect(refused is None, f"{title(post_v1_app, form)}: a 402 was parsed as {refused!r}")

    harness.succeed(app_stop, "sync_detailed", 204, id=hog)
    harness.wait_for_state(hog, "STOPPED")
    late = create(1)
    more = ScalingStrategy(fixed=FixedScalingStrategy(replicas=quota + 1))
    for form in forms_of(app_edit):
        harness.raise_unexpected(app_edit, form, 402, id=late, body=more)
    for form in forms_of(app_start):
        harness.raise_unexpected(app_start, form, 402, id=hog)
    harness.succeed(delete_v1_app_id, "sync_detailed", 204, id=late, force=True)
    harness.wait_until_gone(late)
    harness.succeed(app_start, "sync_detailed", 204, id=hog)
    harness.wait_for_replicas(hog, quota)
    harness.succeed(delete_v1_app_id, "sync_detailed", 204, id=hog, force=True)
    harness.wait_until_gone(hog)
