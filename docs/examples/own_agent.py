"""An agent of your own: reset and act are all it needs. It plays the dream and the real game alike."""

import dreamplay
from dreamplay.agents.acting import run_episodes


class Follower:
    def reset(self, seed=None): ...

    def act(self, observation):  # uint8 (H, W, C): towards the brightest column
        column = observation.sum((0, 2)).argmax()
        return 1 if column < observation.shape[1] // 2 else 2


if __name__ == "__main__":
    run = "runs/Dreamplay-Bricks-v0"
    print(run_episodes(lambda: dreamplay.make_env(run), Follower(), episodes=3, max_steps=50).returns)
