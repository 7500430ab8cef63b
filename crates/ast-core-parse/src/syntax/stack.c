// Looks at the stacks of a parser that is at work.
//
// The structs are private to tree-sitter's parser.c and stack.c. build.rs copies the beginnings of these files, up to
// the structs, from the very tree-sitter that is linked, so that the layout read here is the layout there is.

#include "parser_head.h"
#include "stack_head.h"

typedef struct {
  // How many nodes the stacks have together.
  uint32_t nodes;
  // How many ways lead on from them, beside the first from each.
  uint32_t forks;
} Shape;

// Nodes that were seen, by their addresses.
typedef struct {
  const StackNode **slots;
  uint32_t count;
  uint32_t mask;
} Seen;

static bool insert(Seen *seen, const StackNode *node);

static void grow(Seen *seen) {
  Seen larger = {.mask = seen->mask * 2 + 1};
  larger.slots = ts_calloc((size_t)larger.mask + 1, sizeof(*larger.slots));
  for (uint32_t i = 0; i <= seen->mask; i++) {
    if (seen->slots[i]) insert(&larger, seen->slots[i]);
  }
  ts_free(seen->slots);
  *seen = larger;
}

// Whether the node was not seen before.
static bool insert(Seen *seen, const StackNode *node) {
  if (seen->count > seen->mask / 2) grow(seen);
  uint32_t at = (uint32_t)(((uint64_t)(uintptr_t)node * 0x9E3779B97F4A7C15u) >> 32) & seen->mask;
  for (; seen->slots[at]; at = (at + 1) & seen->mask) {
    if (seen->slots[at] == node) return false;
  }
  seen->slots[at] = node;
  seen->count++;
  return true;
}

// The shape of the stacks; no more than so many nodes are looked at.
Shape ast_core_stack_shape(const TSParser *parser, uint32_t at_most) {
  Shape shape = {0, 0};
  const Stack *stack = parser->stack;
  // Nearly always there is one way, on which no node comes twice.
  if (stack->heads.size == 1) {
    const StackNode *node = array_get(&stack->heads, 0)->node;
    while (shape.nodes < at_most && node->link_count <= 1) {
      shape.nodes++;
      if (node->link_count == 0) return shape;
      node = node->links[0].node;
    }
    if (shape.nodes >= at_most) return shape;
    shape.nodes = 0;
  }
  Seen seen = {.mask = 255};
  seen.slots = ts_calloc((size_t)seen.mask + 1, sizeof(*seen.slots));
  Array(const StackNode *) rest = array_new();
  for (uint32_t i = 0; i < stack->heads.size; i++) {
    array_push(&rest, array_get(&stack->heads, i)->node);
  }
  while (rest.size > 0) {
    const StackNode *node = array_pop(&rest);
    while (shape.nodes < at_most && insert(&seen, node)) {
      shape.nodes++;
      if (node->link_count == 0) break;
      for (uint32_t i = 1; i < node->link_count; i++) {
        shape.forks++;
        array_push(&rest, node->links[i].node);
      }
      node = node->links[0].node;
    }
  }
  array_delete(&rest);
  ts_free(seen.slots);
  return shape;
}
