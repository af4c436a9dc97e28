"""Networks that learn by telling and deceiving: generators and their critics."""
