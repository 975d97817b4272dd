"""promote: what may go where, what is refused and why, and two who push at once."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from glassbox_gitops.release import HEAD, Refused, Release, image, parse
from hub import ENVIRONMENT, Clone, Hub, digest_of, run

STAGES = ("dev", "staging", "prod")


@pytest.fixture(name="clone")
def a_clone(hub: Hub) -> Clone:
    """Where somebody works."""
    return hub.clone("work")


def arrived(clone: Clone, version: str, text: str = "") -> str:
    """A commit that dev has been told of; its name."""
    revision = clone.write("src/service.c", text or f"int {version.replace('.', '_')};\n", f"{version}: a change")
    clone.push()
    done = clone.set_dev(revision, "", version, "--push")
    assert done.returncode == 0, done.stderr
    return revision


def everywhere(clone: Clone, version: str) -> str:
    """And all the others, too."""
    revision = arrived(clone, version)
    clone.promoted("copy", "dev", "staging", "--push")
    clone.promoted("copy", "staging", "prod", "--push")
    return revision


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 2, these words, and nothing on stdout."""
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_release_is_the_same_file_everywhere(clone: Clone) -> None:
    """One commit a step, of one file; what it says is what was built."""
    revision = everywhere(clone, "v1.0.0")
    text = (f'{HEAD}image:\n  repository: "registry.example.org/glassbox"\n  digest: "{digest_of(revision)}"\n'
            f'  tag: "v1.0.0"\nrevision: "{revision}"\nversion: "v1.0.0"\n')
    assert [clone.release(name) for name in STAGES] == [text.encode()] * 3
    assert clone.git("log", "-3", "--reverse", "--format=%s").splitlines() == [
        f"dev: v1.0.0 ({revision[:12]})", f"staging: v1.0.0 ({revision[:12]}), from dev",
        f"prod: v1.0.0 ({revision[:12]}), from staging"]
    assert clone.git("rev-parse", "HEAD") == clone.git("ls-remote", "origin", "refs/heads/main").split()[0]


def test_without_push_the_commit_stays_here(hub: Hub, clone: Clone) -> None:
    """Nobody else has it."""
    revision = clone.write("src/service.c", "int a;\n")
    clone.push()
    assert clone.set_dev(revision).returncode == 0
    assert clone.git("rev-list", "--count", "origin/main..HEAD") == "1"
    assert hub.clone("other").release("dev") is None


def test_a_branch_for_a_pull_request_leaves_main_alone(hub: Hub, clone: Clone) -> None:
    """And the clone, too; the same name again is refused."""
    revision = arrived(clone, "v1.0.0")
    said = clone.promoted("copy", "dev", "staging", "--branch", "promote/staging")
    assert f"staging: nothing -> v1.0.0 ({revision[:12]})" in said
    assert clone.git("status", "--porcelain") == "" and clone.release("staging") is None
    refused(clone.promote("copy", "dev", "staging", "--branch", "promote/staging"), "has a branch promote/staging already")
    other = hub.clone("other")
    assert other.release("staging") is None
    assert other.git("diff", "--name-only", "HEAD...origin/promote/staging") == \
        "infra/gitops/environments/staging/release.yaml"
    other.git("merge", "--quiet", "--no-ff", "--no-edit", "origin/promote/staging")
    other.push()
    clone.pull()
    assert clone.release("staging") == clone.release("dev")
    refused(clone.promote("rollback", "staging"), "staging has its first release, v1.0.0")


@pytest.mark.parametrize("steps", ["dev prod", "staging dev", "prod dev", "dev dev", "prod staging"])
def test_a_stage_cannot_be_skipped_or_gone_back(clone: Clone, steps: str) -> None:
    """What is allowed is said."""
    everywhere(clone, "v1.0.0")
    refused(clone.promote("copy", *steps.split()), f"copy {steps}: a release goes dev -> staging -> prod",
            "copy dev staging or copy staging prod")


@pytest.mark.parametrize("environment, before", [("staging", "dev"), ("prod", "staging")])
def test_only_dev_takes_what_was_just_built(clone: Clone, environment: str, before: str) -> None:
    """The others take what the one before has run."""
    done = clone.promote("set", environment, "--image", f"r.example.org/g@{digest_of('ab' * 20)}", "--revision", "ab" * 20,
                         "--version", "v1")
    refused(done, f"set {environment}: only dev takes what was just built", f"promote copy {before} {environment}")


def test_what_is_there_already_is_said(clone: Clone) -> None:
    """A second copy is refused; a second set of the same has nothing to do."""
    revision = arrived(clone, "v1.0.0")
    clone.promoted("copy", "dev", "staging", "--push")
    refused(clone.promote("copy", "dev", "staging", "--push"), "staging has v1.0.0", "already, as dev has")
    before = clone.git("rev-parse", "HEAD")
    done = clone.set_dev(revision, "", "v1.0.0", "--push")
    assert (done.returncode, done.stdout) == (0, f"dev has v1.0.0 ({revision[:12]}) already\n")
    assert clone.git("rev-parse", "HEAD") == before


def test_a_build_that_comes_late_leaves_dev_alone(clone: Clone) -> None:
    """Two pushes, two pipelines, and the one of the earlier commit is the slower one."""
    early = clone.write("src/service.c", "int early;\n")
    late = arrived(clone, "v1.1.0")
    done = clone.set_dev(early, "", "v1.0.0", "--push")
    assert done.returncode == 0 and "which is later than v1.0.0" in done.stdout
    assert f'revision: "{late}"'.encode() in (clone.release("dev") or b"")


def test_a_copy_does_not_take_back(clone: Clone) -> None:
    """Rollback does, and says so in the history."""
    everywhere(clone, "v1.0.0")
    everywhere(clone, "v1.1.0")
    clone.promoted("rollback", "dev", "--push")
    refused(clone.promote("copy", "dev", "staging", "--push"), "staging has v1.1.0", "which is later than dev's v1.0.0",
            "`promote rollback staging` does")


def judged(clone: Clone, environment: str) -> str:
    """What a gate says that it has seen."""
    return hashlib.sha256(clone.release(environment) or b"").hexdigest()


def test_what_was_not_judged_is_not_copied(clone: Clone) -> None:
    """A held in staging and waits to be agreed to; B takes its place, and nobody has judged it."""
    everywhere(clone, "v1.0.0")
    arrived(clone, "v1.1.0")
    clone.promoted("copy", "dev", "staging", "--push")
    held = judged(clone, "staging")
    revision = arrived(clone, "v1.2.0")
    clone.promoted("copy", "dev", "staging", "--push")
    before = clone.git("rev-parse", "HEAD")
    said = clone.promoted("copy", "staging", "prod", "--judged", held, "--push")
    assert said == f"staging has v1.2.0 ({revision[:12]}) by now, which is not what was judged: left as it is\n"
    assert clone.git("rev-parse", "HEAD") == before and b"v1.0.0" in (clone.release("prod") or b"")
    clone.promoted("copy", "staging", "prod", "--judged", judged(clone, "staging"), "--push")
    assert clone.release("prod") == clone.release("staging")
    done = clone.promote("copy", "staging", "prod", "--judged", "yes")
    assert done.returncode == 2 and "--judged: 'yes': must be 64 hexadecimal digits" in done.stderr


def test_what_is_not_on_main_is_not_promoted(clone: Clone) -> None:
    """A commit of a branch, and one that nobody has."""
    clone.git("switch", "--quiet", "-c", "topic")
    topic = clone.write("src/service.c", "int topic;\n")
    clone.git("push", "--quiet", "origin", "topic")
    clone.git("switch", "--quiet", "main")
    for revision in (topic, "ab" * 20):
        refused(clone.set_dev(revision), f"revision {revision} is not on origin/main")
    path = "infra/gitops/environments/dev/release.yaml"
    clone.write(path, Release("r.example.org/g", digest_of(topic), "v1", topic, "v1").text(), "dev: by hand")
    clone.push()
    refused(clone.promote("copy", "dev", "staging"), f"revision {topic} is not on origin/main")


def test_changes_that_are_not_committed_are_named(clone: Clone) -> None:
    """They would be lost, or go along."""
    arrived(clone, "v1.0.0")
    (clone.root / "src/service.c").write_text("int half_done;\n")
    for command in (["copy", "dev", "staging"], ["rollback", "dev"]):
        refused(clone.promote(*command), "has changes that are not committed", "src/service.c")
    assert (clone.root / "src/service.c").read_text() == "int half_done;\n"


def test_a_stale_clone_is_told_what_to_do(hub: Hub, clone: Clone) -> None:
    """What it would copy is not what is there."""
    stale = hub.clone("stale")
    arrived(clone, "v1.0.0")
    refused(stale.promote("copy", "dev", "staging"), "is stale: origin/main has 2 commits that are not here",
            "pull --ff-only origin main")
    stale.pull()
    assert stale.promote("copy", "dev", "staging", "--push").returncode == 0


def test_commits_that_nobody_has_are_not_carried_along(clone: Clone) -> None:
    """They are pushed first, by whoever made them."""
    arrived(clone, "v1.0.0")
    clone.write("src/service.c", "int mine;\n")
    refused(clone.promote("copy", "dev", "staging", "--push"), "has 1 commits that origin/main has not")


def test_without_the_remote_nothing_is_known(hub: Hub, clone: Clone) -> None:
    """And nothing is done."""
    arrived(clone, "v1.0.0")
    hub.bare.rename(hub.folder / "away.git")
    refused(clone.promote("copy", "dev", "staging", "--push"), "origin/main cannot be fetched")
    assert clone.git("status", "--porcelain") == ""


def first_by(clone: Clone, other: Clone, times: int) -> None:
    """Just before each of that many pushes of a clone, somebody else pushes."""
    hook = clone.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    count = clone.root / ".git/raced"
    hook.write_text(f"""#!/bin/sh
n=$(cat "{count}" 2>/dev/null || echo 0)
[ "$n" -lt {times} ] || exit 0
echo $((n + 1)) >"{count}"
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
cd "{other.root}" && git pull --quiet --ff-only origin main && echo "$n" >>elsewhere && git add elsewhere &&
    git commit --quiet -m "elsewhere $n" && git push --quiet origin HEAD:main
""")
    hook.chmod(0o755)


def test_who_is_second_begins_again_upon_the_first(hub: Hub, clone: Clone) -> None:
    """Both commits are there, none is lost, nothing was forced."""
    revision = arrived(clone, "v1.0.0")
    first_by(clone, hub.clone("other"), 2)
    assert f"staging: nothing -> v1.0.0 ({revision[:12]})" in clone.promoted("copy", "dev", "staging", "--push")
    subjects = hub.clone("fresh").git("log", "-3", "--format=%s").splitlines()
    assert subjects == [f"staging: v1.0.0 ({revision[:12]}), from dev", "elsewhere 1", "elsewhere 0"]


def test_who_is_always_second_gives_up_and_leaves_nothing(hub: Hub, clone: Clone) -> None:
    """Five times, and says so; the clone is where everybody is."""
    arrived(clone, "v1.0.0")
    first_by(clone, hub.clone("other"), 100)
    done = clone.promote("copy", "dev", "staging", "--push")
    assert done.returncode == 1 and "origin/main was pushed to 5 times meanwhile" in done.stderr
    assert clone.git("status", "--porcelain") == "" and clone.release("staging") is None
    assert hub.clone("fresh").release("staging") is None


def test_what_is_checked_is_checked_again_upon_the_first(hub: Hub, clone: Clone) -> None:
    """Between check and push somebody else has copied the very same."""
    arrived(clone, "v1.0.0")
    other = hub.clone("other")
    hook = clone.root / ".git/hooks/pre-push"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE\nrm -f \"$0\"\n"
                    f"exec {' '.join(other.command('copy', 'dev', 'staging', '--push'))} >/dev/null\n")
    hook.chmod(0o755)
    done = clone.promote("copy", "dev", "staging", "--push")
    assert done.returncode == 2 and "staging has v1.0.0" in done.stderr
    assert hub.clone("fresh").git("rev-list", "--count", "HEAD", "--", "infra/gitops/environments/staging") == "1"


def test_two_at_once_both_arrive(hub: Hub, clone: Clone) -> None:
    """Real processes, at the same time: dev takes a build while staging takes dev's. Who looks only when the other has
    pushed already is told that its clone is stale, and does it again."""
    arrived(clone, "v1.0.0")
    one, other = hub.clone("one"), hub.clone("other")
    revision = clone.write("src/service.c", "int newer;\n", "v1.1.0: a change")
    clone.push()
    for each in (one, other):
        each.pull()
    commands = [one.command("copy", "dev", "staging", "--push"),
                other.command("set", "dev", "--image", f"r.example.org/g@{digest_of(revision)}", "--revision", revision,
                              "--version", "v1.1.0", "--push")]
    running = [subprocess.Popen(each, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for each in commands]
    for process, each, command in zip(running, (one, other), commands):
        said = process.communicate(timeout=120)
        if process.returncode == 2 and b"is stale" in said[1]:
            each.pull()
            assert run(*command).returncode == 0
        else:
            assert process.returncode == 0, said
    fresh = hub.clone("fresh")
    assert f'revision: "{revision}"'.encode() in (fresh.release("dev") or b"")
    assert fresh.release("staging") is not None


def test_a_server_that_refuses_leaves_nothing_behind(hub: Hub, clone: Clone) -> None:
    """A protected branch, say: its words are passed on, and there is no second try."""
    arrived(clone, "v1.0.0")
    hook = hub.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho main is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    done = clone.promote("copy", "dev", "staging", "--push")
    assert done.returncode == 1 and "main is protected" in done.stderr, done.stderr
    assert clone.git("status", "--porcelain") == "" and clone.release("staging") is None


def test_rollbacks_go_back_one_by_one(clone: Clone) -> None:
    """What was taken back already is passed over; at the first there is no further; and on it goes from there."""
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        everywhere(clone, version)
    states = [clone.git("show", f"{commit}:infra/gitops/environments/prod/release.yaml")
              for commit in clone.git("log", "--reverse", "--format=%H", "--", "infra/gitops/environments/prod").split()]
    for version, state in (("v1.1.0", states[1]), ("v1.0.0", states[0])):
        assert f"-> {version}" in clone.promoted("rollback", "prod", "--push")
        assert clone.release("prod") == f"{state}\n".encode()
    refused(clone.promote("rollback", "prod"), "prod has its first release, v1.0.0", "there is none before it")
    clone.promoted("copy", "staging", "prod", "--again", "--push")
    assert clone.release("prod") == f"{states[2]}\n".encode()
    assert "v1.2.0" in clone.promoted("rollback", "prod", "--push")
    assert clone.release("prod") == f"{states[0]}\n".encode()


def test_what_was_taken_back_is_not_tried_again_by_itself(clone: Clone) -> None:
    """Neither the last, nor the one before it; a newer one is, and so is the same on a person's word."""
    everywhere(clone, "v1.0.0")
    everywhere(clone, "v1.1.0")
    clone.promoted("rollback", "prod", "--push")
    refused(clone.promote("copy", "staging", "prod", "--push"), "v1.1.0", "was taken back from prod",
            "promote copy staging prod --again")
    clone.promoted("copy", "staging", "prod", "--again", "--push")
    assert clone.release("prod") == clone.release("staging")
    clone.promoted("rollback", "prod", "--push")
    revision = everywhere(clone, "v1.2.0")
    assert revision.encode() in (clone.release("prod") or b"")
    everywhere(clone, "v1.3.0")
    for version in ("v1.2.0", "v1.0.0"):
        assert f"-> {version}" in clone.promoted("rollback", "prod", "--push")
    refused(clone.promote("copy", "staging", "prod"), "v1.3.0", "was taken back from prod")


def test_what_was_not_seen_to_fail_is_not_taken_back(clone: Clone) -> None:
    """What failed has been followed by another, which nobody has judged; and then that one fails."""
    everywhere(clone, "v1.0.0")
    everywhere(clone, "v1.1.0")
    failed = clone.git("rev-parse", "HEAD")
    revision = everywhere(clone, "v1.2.0")
    before = clone.git("rev-parse", "HEAD")
    said = clone.promoted("rollback", "prod", "--of", failed, "--push")
    assert said == f"prod has v1.2.0 ({revision[:12]}) by now, which is not what {failed[:12]} has: left as it is\n"
    assert clone.git("rev-parse", "HEAD") == before
    refused(clone.promote("rollback", "prod", "--of", "ab" * 20), f"--of '{'ab' * 20}': there is no such commit here")
    clone.write("src/service.c", "int other;\n")
    clone.push()
    assert "-> v1.1.0" in clone.promoted("rollback", "prod", "--of", before, "--push")


def test_a_commit_of_more_than_the_release_is_reverted_by_hand(clone: Clone) -> None:
    """Its other changes are somebody else's to judge."""
    everywhere(clone, "v1.0.0")
    arrived(clone, "v1.1.0")
    path = clone.root / "infra/gitops/environments/prod/release.yaml"
    path.write_bytes(clone.release("dev") or b"")
    clone.git("add", "--all")
    clone.write("src/service.c", "int more;\n", "prod, and more")
    clone.push()
    refused(clone.promote("rollback", "prod"), "changed more than infra/gitops/environments/prod/release.yaml",
            "src/service.c", "git revert")


def test_without_a_release_there_is_nothing_to_copy_or_take_back(clone: Clone) -> None:
    """Both say of what."""
    refused(clone.promote("rollback", "prod"), "prod has no release: there is nothing to take back")
    refused(clone.promote("copy", "dev", "staging"), "dev has no release yet")


def test_status_says_what_when_and_how_far_behind(clone: Clone) -> None:
    """For people and for programs."""
    assert clone.promoted("status") == "dev      nothing yet\nstaging  nothing yet\nprod     nothing yet\n"
    old = everywhere(clone, "v1.0.0")
    new = arrived(clone, "v1.1.0")
    rows = json.loads(clone.promoted("status", "--json"))
    assert [(row["version"], row["revision"], row["digest"]) for row in rows] == [
        ("v1.1.0", new, digest_of(new)), ("v1.0.0", old, digest_of(old)), ("v1.0.0", old, digest_of(old))]
    assert [row["image"] for row in rows] == [f"registry.example.org/glassbox@{digest_of(each)}" for each in (new, old, old)]
    # Between the two: three promotions, and the change.
    assert [row["behind"] for row in rows] == [None, 4, 0]
    lines = clone.promoted("status").splitlines()
    assert lines[0].startswith(f"dev      v1.1.0 ({new[:12]}) for ")
    assert lines[1].endswith("4 commits behind the one before it")


BAD = [
    ("--image", "registry.example.org/glassbox:v1", "REPOSITORY@sha256:…"),
    ("--image", "registry.example.org/glassbox@sha256:0123", "REPOSITORY@sha256:…"),
    ("--image", f"Registry/Glassbox@{digest_of('ab' * 20)}", "REPOSITORY@sha256:…"),
    ("--revision", "main", "revision 'main': must be a commit's whole name, 40 hexadecimal digits"),
    ("--revision", "0123abc", "40 hexadecimal digits"),
    ("--version", "a b", "version 'a b': must be such as 1.2.0"),
    ("--version", "", "version ''"),
]


@pytest.mark.parametrize("option, value, word", BAD, ids=[f"{row[0]} {row[1]}" for row in BAD])
def test_bad_input_is_refused_by_name(clone: Clone, option: str, value: str, word: str) -> None:
    """With what is allowed, and before anything is asked."""
    given = {"--image": f"r.example.org/g@{digest_of('ab' * 20)}", "--revision": "ab" * 20, "--version": "v1"} | {option: value}
    refused(clone.promote("set", "dev", *(word for pair in given.items() for word in pair)), word)


def test_unknown_environments_are_refused(clone: Clone, tmp_path: Path) -> None:
    """By name; and a folder that is no clone."""
    refused(clone.promote("rollback", "qa"), "no such environment: 'qa'; there are dev, staging, prod")
    refused(clone.promote("copy", "dev", "production"), "no such environment: 'production'")
    (tmp_path / "empty").mkdir()
    done = run("env", f"GIT_CEILING_DIRECTORIES={tmp_path}", *Clone(tmp_path / "empty").command("status"))
    refused(done, "not a git repository")


GOOD = Release("registry.example.org/a/glassbox", digest_of("ab" * 20), "v1.0.0", "ab" * 20, "v1.0.0")


@pytest.mark.parametrize("text, word", [
    ("", "has none of them"),
    (GOOD.text().replace("  digest:", "  digets:"), "must have repository, digest, tag, revision, version"),
    (GOOD.text().replace("sha256:", "sha512:"), "digest 'sha512:"),
    (GOOD.text() + "replicas: 3\n", "is not as infra/gitops/promote writes it"),
    (GOOD.text().replace('"v1.0.0"\n', "v1.0.0\n"), "must have"),
    (GOOD.text().replace("\n", "\r\n"), "must have"),
])
def test_a_file_that_was_touched_by_hand_is_refused(text: str, word: str) -> None:
    """It has one form, and says where it is not that."""
    with pytest.raises(Refused, match="the file: ") as error:
        parse(text, "the file")
    assert word in str(error.value)


def test_what_is_written_can_be_read() -> None:
    """And an image's name may have a port and a tag."""
    assert parse(GOOD.text(), "") == GOOD
    assert image(f"localhost:5000/glassbox:v1@{GOOD.digest}") == ("localhost:5000/glassbox", "v1", GOOD.digest)
    assert image(f"localhost:5000/glassbox@{GOOD.digest}") == ("localhost:5000/glassbox", "", GOOD.digest)
