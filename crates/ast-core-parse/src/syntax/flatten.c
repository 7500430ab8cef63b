// Lays a syntax tree out in columns, in one pass over tree-sitter's own nodes.
//
// The public cursor spends 60 to 90 ns on a node, which adds up to a sixth of the parse itself; this pass spends a
// quarter of that. It is compiled against the private headers of the very tree-sitter that is linked, so that the
// layout it reads is the layout there is; where those headers are missing or have changed, build.rs leaves it out
// and the cursor is used. What it writes is tested to be what the cursor sees.

#include "./alloc.h"
#include "./language.h"
#include "./subtree.h"
#include "./tree.h"
#include <stdint.h>

// Bits of the column `flags`; the same as in mod.rs.
enum { NAMED = 1, MISSING = 2, HAS_ERROR = 4, EXTRA = 8 };

typedef struct {
  uint16_t *kind;
  uint8_t *field;
  uint8_t *flags;
  uint32_t *start;
  uint32_t *end;
  // The row after the last descendant.
  uint32_t *next;
  uint32_t *parent;
  uint32_t capacity;
} Columns;

typedef struct {
  const Subtree *child;
  const Subtree *last;
  const TSSymbol *aliases;
  const TSFieldMapEntry *fields;
  const TSFieldMapEntry *fields_end;
  // Where the next child's padding begins.
  uint32_t position;
  uint32_t structural_index;
  // The row of this node, or of the visible node round it.
  uint32_t row;
  // The field of hidden nodes, which goes to the visible ones in them.
  uint8_t field;
  bool has_row;
} Frame;

static Frame frame_of(
  const TSLanguage *language, Subtree tree, uint32_t position, uint32_t row, uint8_t field, bool has_row
) {
  const Subtree *children = ts_subtree_children(tree);
  uint32_t count = ts_subtree_child_count(tree);
  uint32_t production = ts_subtree_production_id(tree);
  Frame frame = {
    .child = children,
    .last = children + count,
    .aliases = ts_language_alias_sequence(language, production),
    .position = position,
    .row = row,
    .field = field,
    .has_row = has_row,
  };
  ts_language_field_map(language, production, &frame.fields, &frame.fields_end);
  return frame;
}

// Writes a row for every visible node, parents before children, and returns how many there are; UINT32_MAX if
// there are more than the columns have room for. Leaves whose symbol is not marked in `keep`, which has a byte for
// each symbol of the language, are left out.
uint32_t ast_core_flatten(const TSTree *tree, const uint8_t *keep, Columns columns) {
  const TSLanguage *language = tree->language;
  uint32_t rows = 0, depth = 0, capacity = 64;
  Frame *stack = ts_malloc(capacity * sizeof(Frame));
  // A level round the root, as if that were a hidden node's only child.
  stack[0] = (Frame){.child = &tree->root, .last = &tree->root + 1, .row = UINT32_MAX};

  for (;;) {
    Frame *frame = &stack[depth];
    if (frame->child == frame->last) {
      if (frame->has_row) columns.next[frame->row] = rows;
      if (depth-- == 0) break;
      continue;
    }

    Subtree node = *frame->child++;
    bool extra = ts_subtree_extra(node);
    TSSymbol alias = 0;
    uint8_t field = 0;
    if (!extra) {
      uint32_t index = frame->structural_index++;
      if (frame->aliases) alias = frame->aliases[index];
      field = frame->field;
      for (const TSFieldMapEntry *entry = frame->fields; entry < frame->fields_end; entry++) {
        if (!entry->inherited && entry->child_index == index) {
          field = (uint8_t)entry->field_id;
          break;
        }
      }
    }

    uint32_t children = ts_subtree_child_count(node);
    uint32_t start = frame->position + ts_subtree_padding(node).bytes;
    uint32_t end = start + ts_subtree_size(node).bytes;
    frame->position = end;
    uint32_t row = frame->row;
    bool has_row = false;
    TSSymbol symbol = alias ? alias : ts_subtree_symbol(node);
    bool is_error = symbol >= ts_builtin_sym_error_repeat;
    if (alias || ts_subtree_visible(node)) {
      if (children || is_error || ts_subtree_missing(node) || keep[symbol]) {
        if (rows == columns.capacity) {
          ts_free(stack);
          return UINT32_MAX;
        }
        bool named = alias ? ts_language_symbol_metadata(language, alias).named : ts_subtree_named(node);
        columns.kind[rows] = is_error ? symbol : language->public_symbol_map[symbol];
        columns.field[rows] = field;
        columns.flags[rows] = (uint8_t)((named ? NAMED : 0) | (ts_subtree_missing(node) ? MISSING : 0) |
                                        (ts_subtree_error_cost(node) > 0 ? HAS_ERROR : 0) | (extra ? EXTRA : 0));
        columns.start[rows] = start;
        columns.end[rows] = end;
        columns.next[rows] = rows + 1;
        columns.parent[rows] = row;
        row = rows++;
        has_row = true;
      }
      field = 0;
    }
    if (children) {
      if (++depth == capacity) {
        capacity *= 2;
        stack = ts_realloc(stack, capacity * sizeof(Frame));
      }
      // A node begins where its first child does: their padding is the same.
      uint32_t padding = ts_subtree_padding(*ts_subtree_children(node)).bytes;
      stack[depth] = frame_of(language, node, start - padding, row, field, has_row);
    }
  }
  ts_free(stack);
  return rows;
}
