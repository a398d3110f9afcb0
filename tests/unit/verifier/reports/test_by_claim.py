"""What the results of a claim in several series say together."""

from __future__ import annotations

from dataclasses import replace

from conformance.results import result

from verifier.reports.by_claim import in_few_words, reasons
from verifier.reports.markdown import render

SERIES = ("old", "rfc", "v3", "v5")


def decided(*verdicts: str, **reason: str):
    """The results of one claim, as expected, in the series in their order and then in versions with one mistake."""
    labels = (*SERIES, "i01_bad", "i02_bad")
    return [
        replace(result("claim", verdict, verdict), series=label, reason=reason.get(label, ""))
        for verdict, label in zip(verdicts, labels, strict=False)
    ]


def test_one_verdict_stands_alone():
    assert in_few_words(decided("proved", "proved", "proved", "proved"), SERIES) == "proved"


def test_the_verdict_of_the_most_series_comes_first_and_others_name_theirs():
    found = decided("refuted", "not_modelled", "proved", "proved", "refuted")
    assert in_few_words(found, SERIES) == "proved; refuted in old, i01_bad; not modelled in rfc"


def test_of_two_verdicts_that_are_as_usual_that_of_the_later_series_comes_first():
    assert in_few_words(decided("refuted", "refuted", "proved", "proved"), SERIES) == "proved; refuted in old, rfc"
    assert in_few_words(decided("proved", "proved", "refuted", "refuted"), SERIES) == "refuted; proved in old, rfc"


def test_versions_with_one_mistake_do_not_make_a_verdict_usual():
    found = decided("proved", "proved", "proved", "proved", *["refuted"] * 2)
    assert in_few_words([*found[3:]], SERIES) == "proved; refuted in i01_bad, i02_bad"


def test_a_verdict_that_is_not_expected_is_another_one():
    found = [*decided("proved", "proved", "proved"), replace(result("claim", "proved", "refuted"), series="v5")]
    assert in_few_words(found, SERIES) == "proved; proved (not as expected) in v5"


def test_series_share_a_reason_and_one_of_all_names_none():
    found = decided("refuted", "refuted", "proved", "not_modelled", old="why", rfc="why", v5="nobody knows")
    assert list(reasons(found)) == [("Refuted in old, rfc", "why"), ("Not modelled in v5", "nobody knows")]
    assert list(reasons(found[:2])) == [("Refuted", "why")]


def test_the_index_names_a_version_of_a_few_claims_with_its_reason_alone_unless_there_is_none():
    other = [replace(one, name="other") for one in decided(*["proved"] * 4)]
    told = decided(*["proved"] * 4, "refuted", i01_bad="a mistake")
    (row,) = (line for line in render([*told, *other]).splitlines() if "`claim`" in line)
    assert row.split(" | ")[2:4] == ["proved", "A red key opens. *Refuted in i01_bad: a mistake.*"]
    (row,) = (line for line in render([*decided(*["proved"] * 4, "refuted"), *other]).splitlines() if "`claim`" in line)
    assert row.split(" | ")[2:4] == ["proved; refuted in i01_bad", "A red key opens."]
