"""What imports of heavy libraries ask about the stack, and get."""

import inspect

from flows import engines


def test_the_stack_without_source_names_the_callers_of_the_whole_one():
    with engines._stacks_without_source():
        bare = inspect.stack()
    whole = inspect.stack()
    where = [(frame.filename, frame.function) for frame in whole]
    assert [(frame.filename, frame.function) for frame in bare] == where
    assert bare[0].lineno == whole[0].lineno - 1
