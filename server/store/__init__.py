"""The only SQL of the server: tables, one module per noun, and the migrations."""
