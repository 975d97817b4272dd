"""Fixtures: the contract of the repository and all that it is asked for, and a small one."""

from pathlib import Path

import contract as contract_module
import pytest
import small


@pytest.fixture(scope="session")
def repository() -> contract_module.Contract:
    """What the repository's own files say is emitted."""
    return contract_module.load()


@pytest.fixture(scope="session")
def asked() -> list[contract_module.Expression]:
    """Every expression of the repository: it takes longer to read them than to look at them."""
    return contract_module.expressions(contract_module.files())


@pytest.fixture(scope="session")
def names(tmp_path_factory: pytest.TempPathFactory) -> contract_module.Contract:
    """The small contract."""
    folder: Path = tmp_path_factory.mktemp("small")
    return small.make_contract(folder)
