"""`dreamplay export`: what Dreamplay holds, as others read it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro


@dataclass(frozen=True)
class Export:
    """Write a data folder as a Minari dataset or as plain .npz files, without loss.

    Either comes back with dreamplay import, every array equal.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA")]
    """Data folder to export."""

    to: Literal["minari", "npz"] = "minari"
    """minari, a dataset for the package of that name, uncompressed; npz, a compressed file for each episode."""

    out: Path | None = None
    """Folder to make; exports/<data>-v0 by default. Minari takes its name as the dataset's id, which ends in a version
    such as -v0."""

    seed: int = 0
    """Has no effect: nothing is drawn at random."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Export; returns {"folder", "to", "episodes", "steps"}."""
        from dreamplay.errors import UserError

        if (self.source / "checkpoint.json").is_file():
            raise UserError(f"{self.source} is a run; name the data folder it was trained on")
        return self._data()

    def _data(self) -> dict[str, Any]:
        from dreamplay.episodes import Episodes
        from dreamplay.errors import UserError
        from dreamplay.folders import claim
        from dreamplay.progress import progress

        episodes = Episodes.open(self.source)
        folder = self.out or Path("exports") / f"{self.source.resolve().name}-v0"
        if self.to == "minari":
            import re

            from dreamplay.exchange.minari_dataset import check_installed
            from dreamplay.exchange.minari_dataset import write_minari as write

            check_installed()
            if not re.fullmatch(r"[\w-]+-v\d+", folder.name):
                raise UserError(f"--out {folder} names no Minari dataset: end it in a version, as in {folder.name}-v0")
        else:
            from dreamplay.exchange.npz_folder import write_npz as write
        claim(folder)
        with progress(f"export {self.source}", len(episodes), "episodes") as bar:
            for _ in write(episodes, folder):
                bar.advance()
        print(f"{len(episodes)} episodes, {episodes.steps} steps in {folder}\n{self._opening(folder)}")
        return {"folder": str(folder), "to": self.to, "episodes": len(episodes), "steps": episodes.steps}

    def _opening(self, folder: Path) -> str:
        if self.to == "minari":
            return f"open it: MINARI_DATASETS_PATH={folder.resolve().parent} and minari.load_dataset({folder.name!r})"
        return f"open one: numpy.load({str(folder / 'episode-00000.npz')!r})"
