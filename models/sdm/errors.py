"""In: nothing. Out: the one exception that says "this input describes no machine we can run".

Guarantee: every refusal of the reference MMU is an `InputError`; architectural failures are outcomes instead.
Trusted: no, checked by tests/unit/models.
"""


class InputError(ValueError):
    """A machine, an access or a scenario that cannot be run.

    `code` is a stable snake_case word, `path` names the place as in a scenario ("vmcs.eptp",
    "memory.0x600001"; "" is the whole document), `message` is one sentence without the path.
    """

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.path = path
        self.message = message
