"""Kind ``causal_gru``: a gated recurrent response model over a learned graph, after CausalMMM.

``kind`` declares it. ``sequences`` arranges a panel; ``knowledge`` says which edges may be;
``network`` and ``training`` are the only modules that need the extra (JAX, equinox, optax);
``ensemble`` puts members together on ``resampling``'s blocks, ``posterior`` publishes them;
``origins`` scores forecasts beside simpler ones, ``scores`` says what follows; ``recurrence`` and
``fitted`` evaluate members in NumPy. ``edges`` holds every edge against placebos, ``mediation``
tells total from direct interventions, ``graph`` puts both into a document.
"""
