"""How does the time to an accuracy change with the speed of the devices? A study from a script.

    python examples/device_speed.py

Learning does not see how fast a device is, so one training for each seed serves every speed.
"""

import slfac_sim as sf


def main() -> None:
    """Sweep, and print what the study says and where its figures are."""
    study = sf.sweep("small", axes={"devices.speed.median": "0.1,0.3,1,3,10 GFLOP/s"}, seeds=2, workers=2)
    print("\n".join(study.answers))
    print(f"figures and report: {study.folder}")


if __name__ == "__main__":
    main()
