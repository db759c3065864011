"""What people read: pages and charts made from the shapes of the domain. Knows no store and no service."""
