"""A partner from nothing to live (接入): its folder, its invitation, its checks, its states."""
