; The grammar comes without a query of its own.

[(line_comment) (block_comment) (shebang)] @comment

[(string_literal) (multiline_string_literal) (character_literal)] @string
(escape_sequence) @escape
(interpolation) @embedded

[(number_literal) (float_literal)] @number

(user_type (identifier) @type)
(class_declaration name: (identifier) @type)
(object_declaration name: (identifier) @type)
(type_alias (identifier) @type)

(function_declaration name: (identifier) @function)
(call_expression . (identifier) @function)
(call_expression . (navigation_expression (identifier) @function .))
((call_expression . (identifier) @constructor)
 (#match? @constructor "^[A-Z]"))

(annotation) @attribute
(file_annotation) @attribute
(label) @attribute

[
  (class_modifier) (function_modifier) (inheritance_modifier) (member_modifier) (parameter_modifier)
  (platform_modifier) (property_modifier) (reification_modifier) (variance_modifier) (visibility_modifier)
] @keyword

[(this_expression) (super_expression)] @keyword

[
  "as" "as?" "by" "catch" "class" "companion" "constructor" "do" "else" "finally" "for" "fun" "get" "if" "import"
  "in" "!in" "init" "interface" "is" "!is" "object" "package" "return" "return@" "set" "throw" "try" "typealias"
  "val" "var" "when" "where" "while"
] @keyword
