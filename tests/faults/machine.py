"""Stories that Hypothesis tells, so that one that does not hold is shrunk to its shortest."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from . import carrying, locked, protected, rulings, stories, wire
from .hazards import acknowledge_at_office, see_hazard
from .invariants import check
from .process import Tally
from .world import Story, new_story

WHO = st.integers(0, 1)
SOON = st.integers(0, 40)
ERRANDS: tuple[stories.Act, ...] = (
    carrying.write_for_office,
    carrying.hand_over,
    carrying.answer_in_bundle,
    carrying.read_at_office,
    carrying.read_on_device,
    protected.interview,
    protected.withdraw_consent,
    rulings.rule_at_office,
    acknowledge_at_office,
    rulings.rule_on_device,
    stories.finish,
    locked.set_words,
    locked.remove_words,
    locked.lock_or_unlock,
    locked.forget,
)


class Laboratory(RuleBasedStateMachine):
    """Two devices on one inspection, one server; each step may first arm a fault."""

    tally = Tally()  # of all examples of a run

    def __init__(self) -> None:
        super().__init__()
        self.undo = ExitStack()

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        stories.places()
        self.story: Story = self.undo.enter_context(new_story(f"machine:{seed}", self.tally))
        for person in (stories.ANA, stories.BEN):
            stories.ready(self.story, self.story.enrol(person))
        self.inspection = stories.begin(self.story, self.story.devices[0], quiet=True)

    @rule(fates=st.lists(st.sampled_from(["", *wire.FATES]), min_size=1, max_size=4))
    def network_goes_wrong(self, fates: list[str]) -> None:
        self.story.network.fates += fates

    @rule(who=WHO, soon=SOON, power=st.booleans())
    def device_will_die(self, who: int, soon: int, power: bool) -> None:
        self.story.devices[who].process.plan_death(soon, power=power)

    @rule(soon=SOON, power=st.booleans())
    def server_will_die(self, soon: int, power: bool) -> None:
        self.story.office.process.plan_death(soon, power=power)

    @rule(who=WHO, soon=st.integers(0, 6))
    def disk_will_be_full(self, who: int, soon: int) -> None:
        self.story.devices[who].process.plan_full_disk(soon, 2)

    @rule(who=WHO)
    def answer(self, who: int) -> None:
        stories.answer(self.story, self.story.devices[who], self.inspection)

    @rule(who=WHO)
    def photograph(self, who: int) -> None:
        stories.photograph(self.story, self.story.devices[who], self.inspection)

    @rule(who=WHO)
    def sync(self, who: int) -> None:
        self.story.sync(self.story.devices[who])

    @rule(who=WHO)
    def see_hazard(self, who: int) -> None:
        see_hazard(self.story, self.story.devices[who], self.inspection)

    @rule(who=WHO, act=st.sampled_from(ERRANDS))
    def errand(self, who: int, act: stories.Act) -> None:
        act(self.story, self.story.devices[who], self.inspection)

    @rule(who=WHO)
    def copy(self, who: int) -> None:
        stories.copy_device(self.story, self.story.devices[who], self.inspection)

    @rule(who=WHO)
    def put_back(self, who: int) -> None:
        stories.put_device_back(self.story, self.story.devices[who], self.inspection)

    @rule()
    def back_up_the_server(self) -> None:
        stories.back_office_up(self.story, self.story.devices[0], self.inspection)

    @rule()
    def restore_the_server(self) -> None:
        stories.put_office_back(self.story, self.story.devices[0], self.inspection)

    def teardown(self) -> None:
        with self.undo:
            if hasattr(self, "story"):
                assert check(self.story) == []
