"""Pure decisions of the orders chapter: pool mathematics, prices and routes, states, movements."""
