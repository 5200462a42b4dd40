"""The numbered notebooks: how they run, what they claim, how they are published."""
