"""Networks that are an energy: probable states lie low, and learning lowers the data's."""
