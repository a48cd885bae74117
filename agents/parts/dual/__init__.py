"""The network of AlphaGo Zero and AlphaZero: policy and value from one tower; its learning, inference and files."""
