"""The evaluator, held to IAM's documented rules, before anything is proved with it."""

from __future__ import annotations

import pytest
from policy import Request, allowed

ALLOW = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def conditional(effect: str, operator: str, value: str) -> dict:
    return {"Effect": effect, "Action": "*", "Resource": "*", "Condition": {operator: {"aws:ResourceTag/E": value}}}


@pytest.mark.parametrize(("statements", "request_", "expected"), [
    ([], Request("ec2:RunInstances"), False),
    ([ALLOW], Request("EC2:runinstances"), True),
    ([ALLOW], Request("eks:ListClusters"), False),
    ([ALLOW, {"Effect": "Deny", "Action": "ec2:Run*", "Resource": "*"}], Request("ec2:RunInstances"), False),
    ([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/dev/*"}], Request("s3:GetObject", "arn:aws:s3:::b/dev/x"), True),
    ([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/dev/*"}], Request("s3:GetObject", "arn:aws:s3:::b/prod/x"), False),
    ([conditional("Allow", "StringEquals", "dev")], Request("a:b", context={"aws:ResourceTag/E": "dev"}), True),
    ([conditional("Allow", "StringEquals", "dev")], Request("a:b", context={"aws:ResourceTag/E": "Dev"}), False),
    ([conditional("Allow", "StringEquals", "dev")], Request("a:b"), False),
    ([conditional("Allow", "StringEqualsIfExists", "dev")], Request("a:b"), True),
    ([conditional("Allow", "StringNotEquals", "dev")], Request("a:b"), True),
    ([conditional("Allow", "Null", "true")], Request("a:b"), True),
    ([conditional("Allow", "Null", "true")], Request("a:b", context={"aws:resourcetag/e": "x"}), False),
    ([conditional("Allow", "StringLike", "d?v*")], Request("a:b", context={"aws:ResourceTag/E": "device"}), True),
])
def test_rules(statements: list[dict], request_: Request, expected: bool) -> None:
    assert allowed([document(*statements)], request_) is expected


def test_boundary_is_needed_too() -> None:
    boundary = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    assert not allowed([document(ALLOW)], Request("ec2:RunInstances"), boundary)
    assert allowed([document(ALLOW | {"Action": "*"})], Request("s3:GetObject"), boundary)


@pytest.mark.parametrize("statement", [ALLOW | {"NotAction": "x"}, conditional("Allow", "DateGreaterThan", "1")])
def test_what_it_does_not_know_it_says(statement: dict) -> None:
    with pytest.raises(ValueError, match="does not know"):
        allowed([document(statement)], Request("ec2:RunInstances", context={"aws:ResourceTag/E": "1"}))
