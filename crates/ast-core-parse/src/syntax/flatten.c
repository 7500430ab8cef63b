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

static inline void prefetch(const void *address) {
#if defined(__GNUC__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

// The frame of a node that has children, which begins where its first child does.
static inline Frame frame_of(
  const TSLanguage *language, const SubtreeHeapData *node, uint32_t position, uint32_t row, uint8_t field, bool has_row
) {
  const Subtree *children = (const Subtree *)node - node->child_count;
  // They lie all over the memory, and are looked at soon.
  for (const Subtree *child = children; child < (const Subtree *)node; child++) {
    if (!child->data.is_inline) prefetch(child->ptr);
  }
  Frame frame = {
    .child = children,
    .last = (const Subtree *)node,
    .aliases = ts_language_alias_sequence(language, node->production_id),
    .position = position,
    .row = row,
    .field = field,
    .has_row = has_row,
  };
  ts_language_field_map(language, node->production_id, &frame.fields, &frame.fields_end);
  return frame;
}

// The field of a child that is no extra.
static inline uint8_t field_of(const Frame *frame, uint32_t index) {
  for (const TSFieldMapEntry *entry = frame->fields; entry < frame->fields_end; entry++) {
    if (!entry->inherited && entry->child_index == index) return (uint8_t)entry->field_id;
  }
  return frame->field;
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
    uint32_t index = 0;
    TSSymbol alias = 0;
    if (!extra) {
      index = frame->structural_index++;
      if (frame->aliases) alias = frame->aliases[index];
    }
    uint32_t position = frame->position;
    uint32_t start = position + ts_subtree_padding(node).bytes;
    uint32_t end = start + ts_subtree_size(node).bytes;
    frame->position = end;

    // Most nodes are signs that nobody asks for.
    uint32_t children = ts_subtree_child_count(node);
    TSSymbol symbol = alias ? alias : ts_subtree_symbol(node);
    bool is_error = symbol >= ts_builtin_sym_error_repeat;
    bool has_row = (alias || ts_subtree_visible(node)) &&
      (children || is_error || ts_subtree_missing(node) || keep[symbol]);
    if (!has_row && !children) continue;

    uint8_t field = extra ? 0 : field_of(frame, index);
    uint32_t row = frame->row;
    if (has_row) {
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
      field = 0;
    }
    if (children) {
      if (++depth == capacity) {
        capacity *= 2;
        stack = ts_realloc(stack, capacity * sizeof(Frame));
      }
      stack[depth] = frame_of(language, node.ptr, position, row, field, has_row);
    }
  }
  ts_free(stack);
  return rows;
}
