"""Figures and tables of finished runs: it reads run folders only, and knows neither torch nor a simulator."""
