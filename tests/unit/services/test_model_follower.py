"""Whoever changes what should serve, a process takes it up; what fails is not tried for ever."""

from smarttriage.services.model_follower import ModelFollower


def test_a_change_is_taken_up_once() -> None:
    wanted, taken = ["v1"], []
    follower = ModelFollower(wanted=lambda: tuple(wanted), take_up=lambda: taken.append(wanted[0]), on_error=lambda error: None)
    follower.step()
    assert taken == []
    wanted[0] = "v2"
    follower.step()
    follower.step()
    assert taken == ["v2"]
