"""The reference that the protocols of SplitFed share."""

from slfac_sim.foundation.citing import Reference

SPLITFED = Reference(
    key="thapa2022splitfed",
    entry="inproceedings",
    title="SplitFed: When Federated Learning Meets Split Learning",
    authors=("Thapa, Chandra", "Mahawaga Arachchige, Pathum Chamikara", "Camtepe, Seyit", "Sun, Lichao"),
    year=2022,
    within="AAAI Conference on Artificial Intelligence",
    volume="36",
    number="8",
    pages="8485-8493",
    doi="10.1609/aaai.v36i8.20825",
    arxiv="2004.12088",
)
