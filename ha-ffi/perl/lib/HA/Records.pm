package HA::Record;

# The status records, and what a person sees of them.

use v5.26;
use warnings;

our @ISA = 'HA::Object';

sub new {
    my ($class, $record) = @_;
    my $kind = $class->_kind;
    return $class->_own(HA::FFI::get("${kind}_new")) unless defined $record;
    my $json = ref $record ? HA::JSON::encode($record) : HA::FFI::utf8_bytes($record);
    return $class->_own(HA::FFI::get("${kind}_from_json", \$json));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get($self->_kind . '_copy', $self)) }

sub json { my ($self) = @_; return HA::FFI::get_text($self->_kind . '_to_json', $self) }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get($self->_kind . '_to_json', $self)) }

package HA::ManagerStatus;

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

package HA::LrmStatus;

our @ISA = 'HA::Record';

sub _kind { 'lrm_status' }

sub _get { my ($self) = @_; my (undef, @fields) = HA::FFI::call(lrm_status_get => $self); return @fields }

sub state { my ($self) = @_; return HA::FFI::word(lrm_state => ($self->_get)[0]) }

sub mode { my ($self) = @_; return HA::FFI::word(lrm_mode => ($self->_get)[1]) }

sub timestamp { my ($self) = @_; return ($self->_get)[2] }

sub set {
    my ($self, @given) = @_;
    my %fields = HA::FFI::named('set', [qw(state mode timestamp)], @given);
    HA::FFI::call(lrm_status_set => $self, HA::FFI::word_number(lrm_state => $fields{state} // $self->state),
        HA::FFI::word_number(lrm_mode => $fields{mode} // $self->mode), $fields{timestamp} // $self->timestamp);
    return $self;
}

sub writer {
    my ($self) = @_;
    my ($status, $machine, $boot) = HA::FFI::call(lrm_status_writer => $self);
    return $status == 2 ? undef : { machine => $machine, boot => $boot };
}

sub set_writer {
    my ($self, $machine, $boot) = @_;
    HA::FFI::call(lrm_status_set_writer => $self, $machine, $boot);
    return $self;
}

sub results {
    my ($self) = @_;
    return map { HA::FFI::get_struct(result => lrm_status_result => $self, $_) } 0 .. ($self->_get)[3] - 1;
}

sub result { my ($self, $uid) = @_; return HA::FFI::get_struct(result => lrm_status_find => $self, $uid) }

sub add_result {
    my ($self, @given) = @_;
    my %result = HA::FFI::named('add_result', [qw(uid sid state exit_code)], @given);
    HA::Error->throw(status => 'argument', message => "'" . ($result{exit_code} // 'undef') . "' is no exit code")
        unless ($result{exit_code} // '') =~ /\A-?[0-9]+\z/;
    my $struct = HA::FFI::struct(result => %result);
    HA::FFI::call(lrm_status_add_result => $self, $struct->{address});
    return $self;
}

package HA::View;

our @ISA = 'HA::Object';

sub _kind { 'view' }

# own_node, quorate, now, manager, configuration; lrms: node => HA::LrmStatus or undef; locations: sid => node, if known.
sub new {
    my ($class, @given) = @_;
    my %given = HA::FFI::named('HA::View', [qw(own_node quorate now manager configuration lrms locations)], @given);
    my $self = $class->_own(HA::FFI::get(view_new => $given{own_node}, $given{quorate} ? 1 : 0, $given{now} // time,
            $given{manager}, $given{configuration}));
    HA::FFI::call(view_add_lrm => $self, $_, $given{lrms}{$_}) for sort keys %{$given{lrms} // {}};
    if (my $locations = $given{locations}) {
        HA::FFI::call(view_knows_locations => $self);
        HA::FFI::call(view_add_location => $self, $_, $locations->{$_}) for sort keys %$locations;
    }
    return $self;
}

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(view_json => $self)) }

sub text { my ($self) = @_; return HA::FFI::get_text(view_lines => $self) }

sub lines { my ($self) = @_; return split /\n/, $self->text }

1;
