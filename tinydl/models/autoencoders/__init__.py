"""Networks that give back what they were given, through something narrower or stricter."""
