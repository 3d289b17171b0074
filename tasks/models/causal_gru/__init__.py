"""Kind ``causal_gru``: a gated recurrent response model over a learned graph, after CausalMMM.

``kind`` declares it. ``sequences`` arranges a panel; ``knowledge`` says which edges may be;
``network`` and ``training`` are the only modules that need the extra (JAX, equinox, optax);
``origins`` scores forecasts beside simpler ones; ``ensemble`` puts members together; ``recurrence``
and ``fitted`` evaluate them in NumPy.
"""
