"""Partners with services of the police's cross-province style (公安跨省 SOAP): XML inside SOAP."""
