package HA::ManagerStatus;

# The manager status.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Record';

sub _kind { 'manager_status' }

sub master { my ($self) = @_; return HA::FFI::get(manager_status_master => $self) }

sub nodes {
    my ($self) = @_;
    my %nodes;
    for my $index (0 .. HA::FFI::get(manager_status_node_count => $self) - 1) {
        my (undef, $node, $state) = HA::FFI::call(manager_status_node => $self, $index);
        $nodes{$node} = HA::FFI::word(node_state => $state);
    }
    return \%nodes;
}

sub node_state {
    my ($self, $node) = @_;
    return HA::FFI::word(node_state => HA::FFI::get(manager_status_node_state => $self, $node));
}

sub set_node {
    my ($self, $node, $state) = @_;
    HA::FFI::call(manager_status_set_node => $self, $node, defined $state ? HA::FFI::word_number(node_state => $state) : 0);
    return $self;
}

sub _service {
    my $service = HA::FFI::get_struct(service => @_) // return undef;
    $service->{state} = HA::FFI::word(service_state => $service->{state});
    delete $service->{running} unless $service->{running};
    delete $service->{timeout} if $service->{timeout} < 0;
    return $service;
}

sub services {
    my ($self) = @_;
    return map { _service(manager_status_service => $self, $_) } 0 .. HA::FFI::get(manager_status_service_count => $self) - 1;
}

sub service { my ($self, $sid) = @_; return _service(manager_status_find => $self, $sid) }

sub failed_nodes {
    my ($self, $sid) = @_;
    my @nodes = map { $_->{failed_nodes} // [] } $self->as_hash->{service_status}{$sid} // {};
    return map { @$_ } @nodes;
}

sub set_service {
    my ($self, @fields) = @_;
    my %service = HA::FFI::named('set_service',
        [qw(sid node target uid maintenance_node state running timeout)], @fields);
    my $struct = HA::FFI::struct(service => %service, state => HA::FFI::word_number(service_state => $service{state}),
        running => $service{running} ? 1 : 0, timeout => $service{timeout} // -1);
    HA::FFI::call(manager_status_set_service => $self, $struct->{address});
    return $self;
}

sub remove_service { my ($self, $sid) = @_; return (HA::FFI::call(manager_status_remove_service => $self, $sid))[0] == 1 }

1;
