//! Which nodes of a graph the others lean on most.

/// Ranks have settled once a step moves no more than this of them.
const TOLERANCE: f64 = 1e-9;
/// With the damping of the paper, 0.85, what is left to move is below the tolerance after so many steps.
const MAX_STEPS: usize = 130;

/// A directed graph whose edges have weights.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// The edges of a node are at `starts[node]..starts[node + 1]`.
    starts: Vec<usize>,
    targets: Vec<u32>,
    /// Of the edges of one node they add up to 1 at most.
    shares: Vec<f64>,
}

impl Graph {
    /// A graph of so many nodes, which are `0..nodes`. Edges are `(from, to, weight)`: the weights of edges between the same two
    /// add up. Those whose weight is not above 0, that lead from a node to itself, or that name no node, are left out.
    ///
    /// A node whose edges weigh less than `full` together gives only that part of its rank to them: otherwise who has one edge
    /// says as much by it as others by all of theirs. With 0 each gives all.
    pub fn new(nodes: u32, mut edges: Vec<(u32, u32, f32)>, full: f32) -> Self {
        edges.retain(|&(from, to, weight)| weight > 0.0 && from != to && from < nodes && to < nodes);
        // In one order, so that sums are the same however edges came.
        edges.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        let mut graph = Self { starts: vec![0], targets: Vec::new(), shares: Vec::new() };
        let mut rest = edges.into_iter().peekable();
        for node in 0..nodes {
            let begin = graph.targets.len();
            while let Some((_, to, weight)) = rest.next_if(|edge| edge.0 == node) {
                match graph.targets[begin..].last() {
                    Some(last) if *last == to => {
                        if let Some(share) = graph.shares.last_mut() {
                            *share += f64::from(weight);
                        }
                    }
                    _ => {
                        graph.targets.push(to);
                        graph.shares.push(f64::from(weight));
                    }
                }
            }
            let sum: f64 = graph.shares[begin..].iter().sum::<f64>().max(f64::from(full));
            graph.shares[begin..].iter_mut().for_each(|share| *share /= sum);
            graph.starts.push(graph.targets.len());
        }
        graph
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn edges(&self, node: usize) -> impl Iterator<Item = (usize, f64)> {
        let edges = self.starts[node]..self.starts[node + 1];
        self.targets[edges.clone()]
            .iter()
            .map(|target| *target as usize)
            .zip(self.shares[edges].iter().copied())
    }

    /// PageRank: for each node the part of time that a walk spends there which follows edges by their weights, with a
    /// probability of `damping`, and begins anew otherwise, at a node drawn by `start` (Page, Brin, Motwani and Winograd: The
    /// PageRank Citation Ranking, 1999, with its vector E as `start`; its damping is 0.85). A smaller damping asks more who
    /// mentions a node, and less who mentions those.
    ///
    /// `start` has a weight for each node; what is missing, negative or no number counts as 0, and if nothing is left, all nodes are
    /// alike. The ranks add up to 1. The same graph gives the same ranks.
    pub fn page_rank(&self, start: &[f64], damping: f64) -> Vec<f64> {
        let damping = if damping.is_nan() { 0.0 } else { damping.clamp(0.0, 1.0) };
        let nodes = self.nodes();
        let weight =
            |node: usize| start.get(node).copied().filter(|weight| weight.is_finite() && *weight > 0.0);
        let mut start: Vec<f64> = (0..nodes).map(|node| weight(node).unwrap_or(0.0)).collect();
        let sum: f64 = start.iter().sum();
        match sum > 0.0 && sum.is_finite() {
            true => start.iter_mut().for_each(|weight| *weight /= sum),
            false => start.fill(1.0 / nodes as f64),
        }
        let mut ranks = start.clone();
        let mut next = vec![0.0; nodes];
        for _ in 0..MAX_STEPS {
            next.fill(0.0);
            let mut stranded = 0.0;
            for (node, rank) in ranks.iter().enumerate() {
                let mut kept = 1.0;
                for (target, share) in self.edges(node) {
                    next[target] += damping * share * rank;
                    kept -= share;
                }
                stranded += kept * rank;
            }
            let anew = damping * stranded + (1.0 - damping);
            let mut moved = 0.0;
            for node in 0..nodes {
                next[node] += anew * start[node];
                moved += (next[node] - ranks[node]).abs();
            }
            std::mem::swap(&mut ranks, &mut next);
            if moved < TOLERANCE {
                break;
            }
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAMPING: f64 = 0.85;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    /// The same by solving for what a step leaves as it is, without steps: Gaussian elimination.
    fn solved(nodes: usize, edges: &[(u32, u32, f32)], full: f32, start: &[f64]) -> Vec<f64> {
        let mut shares = vec![vec![0.0; nodes]; nodes];
        for &(from, to, weight) in edges.iter().filter(|edge| edge.0 != edge.1) {
            shares[from as usize][to as usize] += f64::from(weight);
        }
        let whole: f64 = start.iter().sum();
        // rank[to] - d * sum(rank[from] * share[from][to]) = (1 - d) * start[to]
        let mut rows = vec![vec![0.0; nodes + 1]; nodes];
        for from in 0..nodes {
            let own: f64 = shares[from].iter().sum();
            let sum = own.max(f64::from(full));
            let rest = if sum > 0.0 { 1.0 - own / sum } else { 1.0 };
            for to in 0..nodes {
                let along = if sum > 0.0 { shares[from][to] / sum } else { 0.0 };
                let share = along + rest * start[to] / whole;
                rows[to][from] = f64::from(u8::from(from == to)) - DAMPING * share;
            }
        }
        for (row, start) in rows.iter_mut().zip(start) {
            row[nodes] = (1.0 - DAMPING) * start / whole;
        }
        for column in 0..nodes {
            let best =
                (column..nodes).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
            rows.swap(column, best.unwrap());
            for row in (0..nodes).filter(|row| *row != column) {
                let factor = rows[row][column] / rows[column][column];
                let pivot = rows[column].clone();
                rows[row].iter_mut().zip(pivot).for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
        (0..nodes).map(|node| rows[node][nodes] / rows[node][node]).collect()
    }

    fn graphs() -> impl Strategy<Value = (u32, Vec<(u32, u32, f32)>, Vec<f64>)> {
        (1u32..12).prop_flat_map(|nodes| {
            let edge = (0..nodes, 0..nodes, 0.1f32..4.0);
            let start = prop::collection::vec(0.1f64..3.0, nodes as usize);
            (Just(nodes), prop::collection::vec(edge, 0..40), start)
        })
    }

    proptest! {
        #[test]
        fn ranks_are_what_a_step_leaves_as_it_is((nodes, edges, start) in graphs(), full in 0.0f32..5.0) {
            let ranks = Graph::new(nodes, edges.clone(), full).page_rank(&start, DAMPING);
            prop_assert!(close(ranks.iter().sum(), 1.0));
            for (rank, expected) in ranks.iter().zip(solved(nodes as usize, &edges, full, &start)) {
                prop_assert!(close(*rank, expected), "{} {}", rank, expected);
            }
        }

        #[test]
        fn the_order_of_edges_does_not_matter((nodes, edges, start) in graphs()) {
            let reversed: Vec<_> = edges.iter().rev().copied().collect();
            let ranks = |edges| Graph::new(nodes, edges, 1.0).page_rank(&start, DAMPING);
            prop_assert_eq!(ranks(edges), ranks(reversed));
        }
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let nonsense = [(0, 9, 1.0), (9, 0, 1.0), (1, 0, f32::NAN), (1, 0, -1.0), (1, 1, 1.0)];
        let graph = Graph::new(2, [&[(0, 1, 1.0)], &nonsense[..]].concat(), 0.0);
        assert_eq!(graph, Graph::new(2, vec![(0, 1, 2.0)], 0.0));
        assert_eq!(graph.page_rank(&[f64::NAN, -1.0], DAMPING), graph.page_rank(&[1.0, 1.0], DAMPING));
        assert!(Graph::new(0, Vec::new(), 0.0).page_rank(&[], DAMPING).is_empty());
        assert!(Graph::default().page_rank(&[], DAMPING).is_empty());
    }
}
