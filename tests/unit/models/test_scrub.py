"""Nothing with the shape of a key gets into a recording, and ordinary text stays as it is.

The keys are put together when the tests run, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eidothea.models._scrub import SCRUBBED, scrub, scrubbed, secrets_of
from eidothea.settings import Settings

LETTERS = (string.ascii_letters + string.digits) * 4
MIXED = "aB3dE6gH9" * 20
HEX = "0123456789abcdef" * 4
LINES = "\n".join([LETTERS[:64]] * 3)

KEYS = {
    "openai, old": "sk-" + MIXED[:48],
    "openai, project": "sk-" + "proj-" + MIXED[:30] + "_" + MIXED[:40] + "-" + MIXED[:20],
    "openai, service account": "sk-" + "svcacct-" + MIXED[:60],
    "anthropic": "sk-" + "ant-api03-" + MIXED[:50] + "-" + MIXED[:20],
    "openrouter": "sk-" + "or-v1-" + HEX,
    "deepseek": "sk-" + HEX[:32],
    "a proxy's": "sk-" + "4Nx7_aB-" + "c9Dq2-Zr_8Kw1",
    "groq": "gsk" + "_" + MIXED[:52],
    "stripe": "sk" + "_live_" + MIXED[:24],
    "github": "ghp" + "_" + MIXED[:36],
    "github, fine-grained": "github" + "_pat_" + MIXED[:22] + "_" + MIXED[:59],
    "gitlab": "glpat" + "-" + MIXED[:20],
    "aws": "AKIA" + "IOSFODNN7EXAMPLE"[:16],
    "hugging face": "hf" + "_" + MIXED[:34],
    "slack": "xoxb" + "-123456789012-1234567890123-" + MIXED[:24],
    "google": "AIza" + MIXED[:35],
    "npm": "npm" + "_" + MIXED[:36],
    "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + MIXED[:60],
    "jwt": "eyJ" + MIXED[:20] + ".eyJ" + MIXED[:40] + "." + MIXED[:43],
    "pem": "-----BEGIN RSA PRIVATE" + f" KEY-----\n{LINES}\n-----END RSA PRIVATE" + " KEY-----",
    "pgp": "-----BEGIN PGP PRIVATE" + f" KEY BLOCK-----\n\n{LINES}\n=aB3d\n-----END PGP PRIVATE" + " KEY BLOCK-----",
    "pem, cut off": "-----BEGIN PRIVATE" + f" KEY-----\n{LINES}",
    "pem on one line": "-----BEGIN PRIVATE" + " KEY-----" + f"\\n{LETTERS[:64]}\\n-----END PRIVATE" + " KEY-----",
}
WITH_NAMES = {
    "Authorization: Bearer {}": MIXED[:40],
    '"authorization": "Basic {}"': "dXNlcjpwYXNzd29yZDE=",
    "git clone https://{}@example.org/a.git": "maker:" + MIXED[:12],
    "postgresql+psycopg://{}@db:5432/eidothea": "eidothea:" + "hunter2",
    "redis://{}@cache/0": ":" + "hunter2hunter2",
    "OPENAI_API_KEY={}": MIXED[:32],
    "api_key = '{}'": "abc-123-def",
    '{{"apiKey": "{}"}}': MIXED[:20],
    r"{{\"api_key\": \"{}\"}}": MIXED[:20],
    "X-Api-Key: {}": HEX[:32],
    "aws_secret_access_key = {}": "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLE123",
    "password: '{}'": "correct4horse",
}
ORDINARY = [
    "sk-learn, risk-adjusted-return-with-a-very-long-name-2025 and task-0123456789abcdefghijklmn",
    "the tree 8f14e45fceea167a5a36dedd4bea2543a1b2c3d4 and the blob 9e107d9d372bb6826bd81d3542a419d6",
    '<div class="sk-estimator-doc-link-fitted sk-container-id-1 sk-toggleable__content-item">',
    "api_key = settings.openai_api_key2.get_secret_value()",
    'api_key=os.environ["OPENAI_API_KEY_2"]',
    'api_key="EMPTY"',
    "password = getpass()",
    "the bearer of responsibilities-for-everything; bearer tokens",
    "http://127.0.0.1:8000/v1?x=1@2 and https://arxiv.org/abs/2412.01981v2",
    'url = f"postgresql://{user}:{password}@{host}/db"',
    "mailto:someone@example.org, a ratio of 3:4@k",
    "hf_dataset_loader_with_a_long_function_name_in_it(); AKIA; xox",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    "loss 0.5312 acc 0.71\n" + "-" * 80,
    "def step(self, lr: float = 1e-3, tokens: int = 4096) -> None: ...",
]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_keys_are_taken_out_wherever_they_stand(key: str) -> None:
    for text in (key, f"key: {key}", f'"{key}",', f"see {key}\nnext line"):
        assert scrub(text) == text.replace(key, SCRUBBED)


@pytest.mark.parametrize(("text", "key"), WITH_NAMES.items(), ids=WITH_NAMES.keys())
def test_what_is_named_as_a_key_is_taken_out_and_its_name_stays(text: str, key: str) -> None:
    assert scrub(text.format(key)) == text.format(SCRUBBED)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert scrub(text) == text


def test_known_secrets_are_taken_out_whatever_their_shape() -> None:
    known = secrets_of(Settings.model_validate({"OPENAI_API_KEY": "my secret phrase"}))
    assert known == ("my secret phrase",)
    assert scrub("it is 'my secret phrase'.", known) == f"it is '{SCRUBBED}'."
    assert scrub("EMPTY means empty", ("EMPTY",)) == "EMPTY means empty"


def test_values_are_scrubbed_all_the_way_down() -> None:
    key = KEYS["github"]
    assert scrubbed({"edits": [{"replace": f"k = '{key}'", "n": 1}], "none": None}) == {
        "edits": [{"replace": f"k = '{SCRUBBED}'", "n": 1}],
        "none": None,
    }


def test_lone_surrogates_become_what_a_file_can_hold() -> None:
    assert scrub("a\ud800b") == "a\ufffdb"


PIECES = st.one_of(st.text(), st.sampled_from([*KEYS.values(), *ORDINARY, "api_key=", "Bearer ", "://", ":", "@", '"']))


@given(st.lists(PIECES, max_size=8))
def test_scrubbing_twice_changes_nothing_more(pieces: list[str]) -> None:
    once = scrub("".join(pieces))
    assert scrub(once) == once


@pytest.mark.parametrize(
    "unit", ["a", "a-", "1", "-----BEGIN PRIVATE KEY-----\n", "http://a:", "api_key=", "sk-", "eyJ"]
)
def test_no_text_makes_the_search_run_away(unit: str) -> None:
    text = (unit * 200_000)[:200_000]
    assert scrub(text) is not None
