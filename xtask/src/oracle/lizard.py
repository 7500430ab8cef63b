"""Prints what lizard finds in the files that standard input names: a JSON record a function.

Beside lizard's own figures a record has `counted`, the tokens that went into the figure, each with what it added and
the tokens around it; `swallowed`, whether text that is no literal was read as one; and `id` and `within`, the number
of the function in its file and of the one round it.
"""

import json
import re
import sys

import lizard
from lizard_core.file_info_builder import FileInfoBuilder

ATTRIBUTE = re.compile(r"#!?\[[^\n]*\]\s*$")


def record_what_is_counted():
    confirm, add = FileInfoBuilder.confirm_new_function, FileInfoBuilder.add_condition
    end = FileInfoBuilder.end_of_function

    def confirm_new_function(self):
        # What stands before the body, or the parameters, is taken back.
        confirm(self)
        self.current_function.counted = []

    def add_condition(self, inc=1):
        add(self, inc)
        if inc:
            entry = [inc, *self.token_and_before, ""]
            self.current_function.__dict__.setdefault("counted", []).append(entry)
            self.waiting = entry

    def end_of_function(self):
        ended = self.current_function
        end(self)
        ended.within = self.current_function

    FileInfoBuilder.confirm_new_function = confirm_new_function
    FileInfoBuilder.end_of_function = end_of_function
    FileInfoBuilder.add_condition = add_condition


class Watch:
    """Sees every token just before lizard's own counter does."""

    ordering_index = 4

    def __call__(self, tokens, reader):
        context = reader.context
        context.waiting = None
        context.token_and_before = ["", "#"]
        before = ""
        for token in tokens:
            if context.waiting is not None:
                context.waiting[3] = token[:20]
                context.waiting = None
            if self.swallows(reader, before, token):
                context.current_function.swallowed = True
            context.token_and_before = [before, token[:20]]
            yield token
            # Until the next token comes, only the preprocessor counts.
            before = token[:20]
            context.token_and_before = [before, "#"]

    @staticmethod
    def swallows(reader, before, token):
        if "rust" in reader.language_names:
            quoted = token.startswith("'") and len(token) > 3 and re.search(r"\s", token)
            directive = token.startswith("#") and not ATTRIBUTE.match(token)
            return bool(quoted or directive)
        if "cpp" in reader.language_names:
            return before.endswith("R") and token.startswith('"') and not token.endswith(')"')
        return False


def main():
    record_what_is_counted()
    for path in sys.stdin.read().splitlines():
        try:
            found = lizard.FileAnalyzer(lizard.get_extensions([Watch()]))(path).function_list
        except IndexError:
            # lizard has said so on standard error, and goes on likewise.
            continue
        ids = {id(function): number for number, function in enumerate(found)}
        for number, function in enumerate(found):
            record = {
                "path": path,
                "name": function.name,
                "start_line": function.start_line,
                "end_line": function.end_line,
                "cyclomatic": function.cyclomatic_complexity,
                "counted": getattr(function, "counted", []),
                "swallowed": getattr(function, "swallowed", False),
                "id": number,
                "within": ids.get(id(getattr(function, "within", None))),
            }
            print(json.dumps(record))


main()
