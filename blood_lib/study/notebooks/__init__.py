"""The numbered notebooks: how they run, which claims they judge, how they are published."""
