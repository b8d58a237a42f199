"""The journal in a relational database: one body of SQL, one module per engine."""
